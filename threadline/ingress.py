"""`threadline ingress`: Slack in, and what operators do about it."""

import asyncio
from typing import Annotated

import typer
from rich.table import Table

from services.ingress.settings import IngressSettings, observing
from services.kit.fault import Fault
from threadline.ingress_adopt import adopted
from threadline.ingress_compare import compare
from threadline.ingress_tail import tail
from threadline.plain import plain_console
from threadline.running import become, service_settings

application = typer.Typer(help="Takes in what Slack sends: `threadline ingress` starts it.", add_completion=False)

Observe = Annotated[
    bool,
    typer.Option("--observe", help="Only observe: publish under a shadow prefix, answer nothing."),
]


@application.callback(invoke_without_command=True)
def start(context: typer.Context, observe: Observe = False) -> None:
    """Take in what Slack sends, until Ctrl-C."""
    if context.invoked_subcommand is not None:
        if observe:
            raise Fault(
                f"--observe stands behind the command: threadline ingress {context.invoked_subcommand} --observe"
            )
        return
    settings = _settings(observe=observe)
    become("services.ingress", IngressSettings, {"THREADLINE_TOPIC_PREFIX": settings.topic_prefix})


@application.command()
def spools(observe: Observe = False) -> None:
    """List the spools of this volume: who has which, and how much waits."""
    from services.ingress.adapters.spools import Spools  # noqa: PLC0415 - the service itself does without the command line

    settings = _settings(observe=observe)
    table = Table("spool", "owner", "records", "bytes", "oldest", box=None, pad_edge=False)
    found = Spools(settings.spool_folder, settings.topic_prefix, settings.spool_size)
    for each in found.all():
        owner = "a process that runs" if each.owned else "nobody"
        if each.contents is None:
            table.add_row(each.name, owner, "", "", "" if each.trouble is None else "damaged")
        else:
            oldest = f"{each.contents.oldest:%Y-%m-%d %H:%M:%S} UTC" if each.contents.oldest else ""
            table.add_row(each.name, owner, str(each.contents.records), str(each.contents.size), oldest)
    plain_console().print(table if table.row_count else f"there is no spool in {found.folder}")


@application.command()
def adopt(
    name: Annotated[str, typer.Argument(help="Such as spool-2, as `threadline ingress spools` shows it.")],
    observe: Observe = False,
) -> None:
    """Write what waits in a spool without an owner to the broker, in its order."""
    try:
        written = asyncio.run(adopted(_settings(observe=observe), name))
    except KeyboardInterrupt:
        raise Fault("interrupted; what is not written yet stays in the spool") from None
    typer.echo(f"{written} records of {name} were written to the broker; it is empty")


def _settings(*, observe: bool) -> IngressSettings:
    settings = service_settings(IngressSettings)
    return observing(settings) if observe else settings


application.command()(tail)
application.command()(compare)
