"""Whether an event says that an app is no longer in a workspace."""

from services.ingress.decisions.reading import Arrived, Delivery


def removed_from(arrived: Arrived) -> tuple[str, str] | None:
    """The app and the workspace that it was removed from, or whose bot token was revoked; none for other events."""
    if not isinstance(arrived, Delivery) or arrived.kind != "events_api":
        return None
    event = arrived.payload.get("event")
    match event:
        case {"type": "app_uninstalled"} | {"type": "tokens_revoked", "tokens": {"bot": [_, *_]}}:
            app, _, workspace = arrived.connection.partition(":")
            return app, workspace
        case _:
            return None
