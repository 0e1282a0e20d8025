"""`threadline up`: the whole product on this machine."""

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.kit.clock import SystemClock
from services.kit.groups import SlackSettings
from services.kit.settings import load
from services.local import control, kafka, postgres
from services.local.home import Home, LocalSettings
from services.local.names import AGENT_URL, SERVICES, SLACK_SIM
from services.local.product import Product
from services.local.program import Program
from services.local.supervisor import Say
from services.responder.settings import ResponderSettings
from threadline.board.facts import Heading
from threadline.board.screen import show
from threadline.board.watcher import Watcher
from threadline.local import download_bar, say

application = typer.Typer(add_completion=False)

LOGS = (postgres.NAME, kafka.NAME, SLACK_SIM, *SERVICES)


@application.command()
def up(
    plain: Annotated[
        bool, typer.Option("--plain", help="Lines in place of the board, as where no terminal is.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Say what would be used, and start nothing.")] = False,
) -> None:
    """Start everything on this machine, with a Slack of its own or, by SLACK_BOT_TOKEN and SLACK_APP_TOKEN, yours."""
    if check:
        _check()
        return
    settings = load(LocalSettings)
    Home.of(settings).make()
    with download_bar() as progress:
        classpath = control.fetch_programs(settings, [], progress)
    running = Running(settings, classpath)
    console = Console()
    if plain or not console.is_terminal or console.is_dumb_terminal:
        asyncio.run(running.run(say))
    else:
        asyncio.run(running.run_with_board(console))
    say("threadline", f"stopped; its data stays in {Home.of(settings).root}")


def _check() -> None:
    """Exit 1 where it could not start."""
    # Imported where it is wanted: a start would wait for it.
    from threadline.checkup import machine, shown  # noqa: PLC0415

    findings = asyncio.run(machine.look())
    shown.show(findings)
    if any(each.state == "wrong" for each in findings):
        raise typer.Exit(1)


class Running:
    """One `threadline up`."""

    def __init__(self, settings: LocalSettings, classpath: list[Path]) -> None:
        self._settings, self._classpath, self._slack = settings, classpath, load(SlackSettings)
        self._model = load(ResponderSettings).model
        self._product: Product | None = None

    async def run(self, tell: Say) -> None:
        """Until it is told to stop."""
        try:
            await control.run(self._settings, [], tell, self._classpath, self._programs)
        finally:
            if self._product is not None:
                self._product.close()

    async def run_with_board(self, console: Console) -> None:
        """Likewise, with a board that shows how all is. Where the board fails, lines go on in its place."""
        home = Home.of(self._settings)
        watcher = Watcher(home, SystemClock(), self._heading)
        watcher.look_at_logs(LOGS)
        board = asyncio.create_task(show(watcher, console))

        def tell(name: str, line: str) -> None:
            (say if board.done() else watcher.hear)(name, line)

        try:
            await self.run(tell)
        finally:
            board.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await board

    def _programs(self, home: Home, tell: Say, stack: list[Program]) -> list[Program]:
        self._product = Product(home, tell, self._slack)
        return self._product.programs(stack)

    def _heading(self) -> Heading:
        product = self._product
        return Heading(
            model="rehearsal, built in: it needs no key" if self._model == "rehearsal" else self._model,
            folder=str(Home.of(self._settings).root),
            chat=product.chat if product is not None else None,
            agents=f"{AGENT_URL}={product.agents}" if product is not None and product.agents is not None else None,
            token=product.token_command if product is not None and product.agents is not None else None,
            workspace=product.workspace if product is not None else None,
            channels=product.channels if product is not None else {},
        )
