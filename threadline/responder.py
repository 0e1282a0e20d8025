"""`threadline responder`: answers, in Slack."""

import typer

from services.responder.settings import ResponderSettings
from threadline.running import become

application = typer.Typer(add_completion=False)


@application.command()
def start() -> None:
    """Answer what the router asks for, until Ctrl-C."""
    become("services.responder", ResponderSettings, {})
