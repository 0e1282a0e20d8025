"""Which names a program may not give: those by which our own buttons are known when clicked, and our own messages."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from schemas.buttons import PREFIX

IN_BLOCKS: Final = ("action_id", "block_id", "callback_id")
"""What Slack tells of a click or a form by. Who could choose them could have people approve what they do not see."""


def reserved_in(names: Mapping[str, str | None], blocks: Any) -> str | None:
    """What begins as ours do: one of the names that a program gives, or one that stands anywhere in its blocks."""
    for field, name in names.items():
        if name is not None and name.startswith(PREFIX):
            return field
    return next((field for field, name in _named(blocks) if name.startswith(PREFIX)), None)


def _named(blocks: Any) -> Iterator[tuple[str, str]]:
    """However deep it stands."""
    parts = [blocks]
    while parts:
        match parts.pop():
            case dict() as part:
                for field in IN_BLOCKS:
                    if isinstance(name := part.get(field), str):
                        yield f"{field} in blocks", name
                parts.extend(part.values())
            case list() as part:
                parts.extend(part)
            case _:
                pass
