"""What Slack's tokens look like, and what an app must be allowed: a mistake is named before Slack refuses it."""

from services.kit.secrets.names import SecretName

KINDS = {
    "xoxb-": "a bot token",
    "xoxe.xoxb-": "a bot token that rotates",
    "xoxp-": "a user token",
    "xoxe.xoxp-": "a user token that rotates",
    "xapp-": "an app-level token",
    "xoxe-": "a refresh token",
    "xoxr-": "a refresh token",
    "xoxa-": "a token of the legacy kind",
    "xoxs-": "a browser session's token",
    "xoxc-": "a browser session's token",
}

WANTED: dict[SecretName, tuple[str, ...]] = {
    "slack_bot_token": ("xoxb-", "xoxe.xoxb-"),
    "slack_app_token": ("xapp-",),
    "slack_gateway_signing_secret": (),
}

WHERE_FOUND: dict[SecretName, str] = {
    "slack_bot_token": "xoxb-…, in the app's settings under OAuth & Permissions",
    "slack_app_token": "xapp-…, in the app's settings under Basic Information, App-Level Tokens",
    "slack_gateway_signing_secret": "in the app's settings under Basic Information, Signing Secret",
}

APP_SCOPE = "connections:write"

SCOPES = {
    "app_mentions:read": "hear mentions",
    "chat:write": "answer",
    "im:history": "hear direct messages",
    "channels:history": "follow threads in public channels",
}
"""Without these an agent cannot do its work."""

MORE_SCOPES = {
    "groups:history": "follow threads in private channels",
    "mpim:history": "hear group messages",
    "reactions:read": "see emoji reactions, 🛑 among them",
    "reactions:write": "show that a message must wait",
    "commands": "take slash commands",
    "channels:read": "hear that somebody joined a public channel, and find one by its name",
    "groups:read": "hear that somebody joined a private channel, and find one by its name",
}
"""Without these something is missing, and the rest works."""


def kind_of(token: str) -> str | None:
    """What a token is, by how it begins; none where that says nothing."""
    return next((kind for beginning, kind in KINDS.items() if token.startswith(beginning)), None)


def mistaken(name: SecretName, token: str) -> str | None:
    """What is wrong with a token before anybody is asked: it is another kind than belongs there."""
    if not token.isprintable() or " " in token:
        return "it has a space or a line break in it"
    kind = kind_of(token)
    wanted = WANTED[name]
    if token.startswith(wanted) if wanted else kind is None:
        return None
    return f"it is {kind}" if kind else "it looks like no token of Slack's"
