"""The commands of `threadline`, and how each of them ends."""

import logging
import sys
from importlib import metadata
from typing import Annotated

import typer
from rich.console import Console

from services.kit.fault import Fault
from services.kit.settings import strangers
from threadline.catalogue import SETTINGS
from threadline.interruption import INTERRUPTED
from threadline.lazy import LazyGroup
from threadline_agent.settings import VARIABLES as OF_AGENTS

application = typer.Typer(
    name="threadline",
    cls=LazyGroup,
    help="Threadline: a self-hosted Slack AI-agent platform.",
    no_args_is_help=True,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
)


@application.callback()
def _first(
    version: Annotated[bool, typer.Option("--version", is_eager=True, help="Show the version.")] = False,
) -> None:
    """A setting that is misspelt would otherwise be as if it were never given."""
    if version:
        typer.echo(f"threadline {metadata.version('threadline')}")
        raise typer.Exit
    for name in strangers(SETTINGS):
        if name in OF_AGENTS:
            continue
        typer.echo(f"threadline: there is no setting {name}; it has no effect", err=True)


def run() -> None:
    """Runs a command. A fault that was foreseen is told in a line or two; any other is shown whole."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a command says itself what went wrong
    try:
        application()
    except Fault as fault:
        _tell(str(fault))
        sys.exit(fault.code)
    except KeyboardInterrupt:  # before typer listens, or when it does not any more
        _tell("interrupted")
        sys.exit(INTERRUPTED)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # typer makes that of a Ctrl-C which a command does not answer itself
            _tell("interrupted")
        raise


def _tell(what: str) -> None:
    Console(stderr=True, soft_wrap=True).print(f"threadline: {what}", style="red", markup=False, highlight=False)
