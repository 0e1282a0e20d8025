"""`threadline router`: decides what becomes of every envelope."""

import typer

from services.router.settings import RouterSettings
from threadline.running import become

application = typer.Typer(add_completion=False)


@application.command()
def start() -> None:
    """Decide what becomes of every envelope, until Ctrl-C."""
    become("services.router", RouterSettings, {})
