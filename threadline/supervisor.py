"""`threadline supervisor`: watches long-running agents."""

import typer

from services.supervisor.settings import SupervisorSettings
from threadline.running import become

application = typer.Typer(add_completion=False)


@application.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Watch long-running agents: hear what they report and what people want of them, until Ctrl-C."""
    if context.invoked_subcommand is None:
        become("services.supervisor", SupervisorSettings, {})
