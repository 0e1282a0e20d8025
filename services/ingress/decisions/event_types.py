"""What an event is called in metrics: Slack's name for it, of those that are known. Others could be anything."""

from services.ingress.decisions.reading import Arrived, Delivery

EVENTS = (
    "agent_session_stopped",
    "app_context_changed",
    "app_home_opened",
    "app_mention",
    "app_rate_limited",
    "app_uninstalled",
    "assistant_thread_context_changed",
    "assistant_thread_started",
    "channel_archive",
    "channel_created",
    "channel_deleted",
    "channel_rename",
    "channel_unarchive",
    "file_shared",
    "function_executed",
    "link_shared",
    "member_joined_channel",
    "member_left_channel",
    "message",
    "message_metadata_posted",
    "reaction_added",
    "reaction_removed",
    "team_join",
    "tokens_revoked",
    "user_change",
)
INTERACTIONS = (
    "block_actions",
    "block_suggestion",
    "message_action",
    "shortcut",
    "view_closed",
    "view_submission",
    "workflow_step_edit",
)
COMMAND, OTHER, UNREADABLE = "slash_command", "other", "unreadable"
GATEWAY_RUN, GATEWAY_CANCEL = "gateway_run", "gateway_cancel"

EVENT_TYPES = (*EVENTS, *INTERACTIONS, COMMAND, GATEWAY_RUN, GATEWAY_CANCEL, OTHER, UNREADABLE)
"""Every value that the label may take."""


def event_type_of(arrived: Arrived) -> str:
    """The label of what arrived."""
    if not isinstance(arrived, Delivery):
        return UNREADABLE
    if arrived.kind == "slash_commands":
        return COMMAND
    if arrived.kind == "interactive":
        return _known(arrived.payload.get("type"), INTERACTIONS)
    event = arrived.payload.get("event")
    inner = event.get("type") if isinstance(event, dict) else None
    return _known(inner or arrived.payload.get("type"), EVENTS)


def _known(name: object, names: tuple[str, ...]) -> str:
    return name if isinstance(name, str) and name in names else OTHER
