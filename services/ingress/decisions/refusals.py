"""Which of Slack's answers mean that trying again helps nobody, and what a person can do about each."""

from typing import Final

_MEND = (
    "put a good app-level token where it is read from (SLACK_APP_TOKEN: xapp-…, Basic Information, App-Level Tokens, "
    "scope connections:write); ingress reads it again by itself"
)
_SWITCH_ON = "switch it on in the app's settings, or use HTTP: THREADLINE_INGRESS_HTTP=true"

ADVICE: Final = {
    "invalid_auth": f"Slack does not know the app token (invalid_auth): {_MEND}",
    "not_authed": f"there is no app token (not_authed): {_MEND}",
    "token_revoked": f"the app token was revoked (token_revoked): {_MEND}",
    "token_expired": f"the app token is too old (token_expired): {_MEND}",
    "account_inactive": f"the app token's owner is no longer active (account_inactive): {_MEND}",
    "not_allowed_token_type": f"the app token is another kind of token (not_allowed_token_type): {_MEND}",
    "missing_scope": f"the app token lacks connections:write (missing_scope): {_MEND}",
    "no_permission": f"the app token may not open sockets (no_permission): {_MEND}",
    "link_disabled": f"Socket Mode is switched off for this app (link_disabled): {_SWITCH_ON}",
    "socket_mode_not_enabled": f"Socket Mode is switched off for this app (socket_mode_not_enabled): {_SWITCH_ON}",
}


def advice_for(code: str) -> str | None:
    """What to do; none where trying again may help."""
    return ADVICE.get(code)
