"""The states of a slot: exactly one of seven holds at any time, and which may follow which."""

from typing import Final, Literal, TypeAlias, get_args

LinkState: TypeAlias = Literal[
    "connecting", "authenticated", "connected", "reconnecting", "disconnecting", "disconnected", "error"
]
STATES: Final[tuple[LinkState, ...]] = get_args(LinkState)

FOLLOWS: Final[dict[LinkState, frozenset[LinkState]]] = {
    "disconnected": frozenset({"connecting", "disconnecting"}),
    "connecting": frozenset({"authenticated", "error", "disconnecting"}),
    "authenticated": frozenset({"connected", "connecting", "reconnecting", "error", "disconnecting"}),
    "connected": frozenset({"reconnecting", "disconnecting", "error"}),
    "reconnecting": frozenset({"authenticated", "error", "disconnecting"}),
    "error": frozenset({"authenticated", "disconnecting"}),
    "disconnecting": frozenset({"disconnected"}),
}
"""A slot that is in error tries again now and then, and stays in error until Slack accepts it."""


class WrongTurn(ValueError):
    """A state was to follow one that it never follows."""


def after(state: LinkState, following: LinkState) -> LinkState:
    """The state that follows; staying is always possible."""
    if following != state and following not in FOLLOWS[state]:
        raise WrongTurn(f"{following} never follows {state}")
    return following
