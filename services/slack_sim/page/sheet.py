"""What blocks are drawn on: whose eyes see it, where it stands, and what was put into it."""

from dataclasses import dataclass, field
from typing import Any

from services.kit.markup import Markup, together
from services.slack_sim.page.inline import unescaped
from services.slack_sim.page.mrkdwn import mrkdwn
from services.slack_sim.page.viewer import Viewer
from services.slack_sim.telling.shapes import Json


@dataclass(frozen=True)
class Sheet:
    """A message or a view, while it is drawn."""

    viewer: Viewer
    key: str
    """What the ids of everything on it begin with."""
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What was put into its parts, by block and action."""
    errors: dict[str, str] = field(default_factory=dict)
    """What an app says is wrong, by block."""

    def text(self, thing: Any) -> Markup:
        """A text object, or a bare text."""
        if isinstance(thing, dict) and thing.get("type") == "mrkdwn":
            return mrkdwn(self.viewer, words(thing))
        return together(words(thing))

    def chosen(self, block: Json, element: Json) -> list[str]:
        """What is chosen or typed in an element: by somebody, or by the app at first."""
        given = self.values.get(str(block.get("block_id")), {}).get(str(element.get("action_id")))
        if given is not None:
            return _listed(value for name, value in given.items() if name != "type")
        return _listed(value for name, value in element.items() if name.startswith("initial_"))


def words(thing: Any) -> str:
    """The words of a text object, or of what is there in its place."""
    if isinstance(thing, dict):
        text = thing.get("text")
        if isinstance(text, dict):
            return words(text) if not isinstance(text.get("text"), dict) else ""
        return unescaped(text) if isinstance(text, str) and thing.get("type") != "mrkdwn" else _plain(text)
    return _plain(thing)


def _plain(thing: Any) -> str:
    return str(thing) if isinstance(thing, str | int | float) and not isinstance(thing, bool) else ""


def _listed(values: Any) -> list[str]:
    found: list[str] = []
    for value in values:
        for each in value if isinstance(value, list) else [value]:
            inner = each.get("value") if isinstance(each, dict) else each
            if isinstance(inner, str | int | float) and inner != "":
                found.append(str(inner))
    return found
