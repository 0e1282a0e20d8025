"""`threadline`: the command line."""

import logging
import sys

import typer
from rich.console import Console

from services.kit.fault import Fault
from threadline import local, topics

application = typer.Typer(
    name="threadline",
    help="Threadline: a self-hosted Slack AI-agent platform.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
application.add_typer(local.application, name="local")
application.add_typer(topics.application, name="topics")


def main() -> None:
    """Runs a command. A fault that was foreseen is told in a line or two; any other is shown whole."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a command says itself what went wrong
    try:
        application()
    except Fault as fault:
        Console(stderr=True, soft_wrap=True).print(f"threadline: {fault}", style="red", markup=False, highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
