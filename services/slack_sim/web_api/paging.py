"""Pages of a list, and the cursors that lead from one to the next."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from services.slack_sim.refusal import Refusal
from services.slack_sim.web_api.arguments import Arguments

Item = TypeVar("Item")
DEFAULT, MOST = 100, 999


def limit_of(args: Arguments, default: int = DEFAULT, most: int = MOST) -> int:
    """How many are wanted; what is out of range is put right."""
    return min(max(args.number("limit", default) or default, 1), most)


def cursor_of(args: Arguments, kind: str) -> str | None:
    """Where to go on, if it is said."""
    given = args.text("cursor")
    if not given:
        return None
    try:
        said, _, place = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise Refusal("invalid_cursor") from error
    if said != kind or not place:
        raise Refusal("invalid_cursor")
    return place


def cursor_to(kind: str, place: str) -> str:
    """A cursor."""
    return base64.b64encode(f"{kind}:{place}".encode()).decode()


def page_of(
    items: Sequence[tuple[str, Item]], args: Arguments, kind: str, default: int = DEFAULT
) -> tuple[list[Item], str]:
    """One page of things that are sorted by their names, and the cursor to the next; empty at the end."""
    start, limit = cursor_of(args, kind), limit_of(args, default)
    rest = [each for each in items if start is None or each[0] >= start]
    following = cursor_to(kind, rest[limit][0]) if len(rest) > limit else ""
    return [item for _, item in rest[:limit]], following
