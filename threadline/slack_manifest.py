"""The manifests that a Slack app is made of: what Threadline hears, and may do, is written from what it does."""

from collections.abc import Mapping
from io import StringIO
from typing import Any, Final

from ruamel.yaml import YAML

from schemas.buttons import ASK, ASK_COMMAND, STOP_COMMAND, TASK, TASK_COMMAND
from services.directory.slack_tokens import MORE_SCOPES, SCOPES

EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "app_mention": ("app_mentions:read",),
    "app_uninstalled": (),
    "member_joined_channel": ("channels:read", "groups:read"),
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "message.mpim": ("mpim:history",),
    "reaction_added": ("reactions:read",),
    "tokens_revoked": (),
}
"""What is subscribed to, and the scopes that Slack wants for it."""

OF_AGENTS: Final = "agent_session_stopped"
"""Slack's own Stop. Only an app that is declared an agent has it, which cannot be undone: nobody gets it unasked."""

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    ASK_COMMAND: ("Ask the agent", "a question"),
    STOP_COMMAND: ("Stop what the agent is doing for you in this channel", ""),
    TASK_COMMAND: ("See what supervised agents do, answer them, and stop them", "list, show, approve, cancel"),
}
"""What each is for, and what is typed behind it."""

SHORTCUTS: Final[Mapping[str, tuple[str, str]]] = {
    ASK: ("Ask about this", "Ask the agent about this message"),
    TASK: ("Ask for this as a task", "Ask for a supervised agent to do what this message says"),
}
"""On a message, by their callbacks: what each is called in its menu, and what it is for."""

SOCKETS, HTTP = "manifest.yaml", "manifest-http.yaml"
ADDRESS: Final = "https://threadline.example"
"""Stands for THREADLINE_INGRESS_PUBLIC_URL."""

_WRITTEN: Final = (
    "# Written by `./dev lock` from threadline/slack_manifest.py. docs/guide/first-reply.md says what to do with it."
)


def files() -> dict[str, str]:
    """Both manifests by their file names: they differ in how Slack reaches the app, and in nothing else."""
    replace = f"# In place of {ADDRESS} put what THREADLINE_INGRESS_PUBLIC_URL says."
    return {
        SOCKETS: _text([_WRITTEN], manifest(None)),
        HTTP: _text([_WRITTEN, replace], manifest(ADDRESS)),
    }


def manifest(address: str | None) -> dict[str, Any]:
    """An app over HTTP at an address; over Socket Mode without one."""
    events = {"url": f"{address}/slack/events"} if address else {}
    request = {"request_url": events["url"]} if address else {}
    oauth = {"redirect_urls": [f"{address}/slack/oauth_redirect"]} if address else {}
    return {
        "display_information": {
            "name": "Threadline",
            "description": "Agents that answer in the thread, live, and that you can stop",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "threadline", "always_online": True},
            "shortcuts": [
                {"name": name, "type": "message", "callback_id": callback_id, "description": about}
                for callback_id, (name, about) in SHORTCUTS.items()
            ],
            "slash_commands": [
                {"command": name, **events, "description": about, **({"usage_hint": hint} if hint else {})}
                | {"should_escape": True}
                for name, (about, hint) in COMMANDS.items()
            ],
        },
        "oauth_config": {**oauth, "scopes": {"bot": sorted([*SCOPES, *MORE_SCOPES])}},
        "settings": {
            "event_subscriptions": {**request, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **request},
            "org_deploy_enabled": False,
            "socket_mode_enabled": address is None,
            "token_rotation_enabled": False,
        },
    }


def _text(head: list[str], content: dict[str, Any]) -> str:
    yaml, written = YAML(), StringIO()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(content, written)
    return "\n".join([*head, written.getvalue()])
