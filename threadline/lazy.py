"""Commands that are imported when they are asked for: what one needs is no burden to the others."""

from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup
from typing_extensions import override

from threadline.interruption import ends_at_once


class LazyGroup(TyperGroup):
    """A group whose commands are modules of this package, each with an `application`."""

    modules: ClassVar[dict[str, str]] = {
        "up": "threadline.up",
        "demo": "threadline.demo.command",
        "local": "threadline.local",
        "topics": "threadline.topics",
        "directory": "threadline.directory",
        "token": "threadline.token",
        "secrets": "threadline.secrets",
        "doctor": "threadline.doctor",
        "ingress": "threadline.ingress",
        "router": "threadline.router",
        "responder": "threadline.responder",
        "supervisor": "threadline.supervisor",
        "agent": "threadline.agent",
        "why": "threadline.why",
        "replay": "threadline.replay",
        "rules": "threadline.rules",
        "dlq": "threadline.dlq",
        "offsets": "threadline.offsets",
        "report": "threadline.report",
        "backup": "threadline.backup",
        "slack-sim": "threadline.slack_sim",
    }
    """By name, in the order in which help shows them."""

    @override
    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.modules)

    @override
    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.modules:
            return None
        with ends_at_once():
            application = import_module(self.modules[cmd_name]).application
        command = typer.main.get_command(application)
        command.name = cmd_name
        return command
