"""How a reply looks in Slack: its blocks, its buttons, and the plain text that notifications show."""

import re
from collections.abc import Mapping
from typing import Any, Final

from schemas.buttons import FEEDBACK, RETRY, STOP, WHY

Shown = dict[str, Any]
"""The arguments of a call that say what a message shows."""
PLAIN_LONGEST: Final = 3_000
_FENCES: Final = re.compile(r"^ {0,3}(```+|~~~+).*$", re.MULTILINE)
_MARKS: Final = re.compile(r"\*\*|__|~~|^#{1,6} +", re.MULTILINE)
NO_PREVIEWS: Final = {"unfurl_links": False, "unfurl_media": False}
"""A preview would ask an address that a model chose, and could carry words out with it."""


def thinking(text: str, run_id: str) -> Shown:
    """The first that is seen."""
    return {"text": text, "blocks": [_context(text), _actions(_button("Stop", STOP, run_id))], **NO_PREVIEWS}


def growing(markdown: str, run_id: str) -> Shown:
    """An answer while it is written."""
    gap = "\n\n" if markdown.rstrip().endswith(("```", "|")) else " "
    blocks = [_markdown(f"{markdown}{gap}▍"), _actions(_button("Stop", STOP, run_id))]
    return {"text": plain(markdown), "blocks": blocks}


def streamed(markdown: str, run_id: str) -> Shown:
    """What a stream begins with."""
    return {"chunks": [chunk(markdown), {"type": "blocks", "blocks": [_actions(_button("Stop", STOP, run_id))]}]}


def chunk(markdown: str) -> dict[str, Any]:
    """What is added to a stream."""
    return {"type": "markdown_text", "text": markdown}


def answer(markdown: str, run_id: str | None, footer: str | None = None) -> Shown:
    """An answer, or a part of it; under the last part stand the buttons and the footer."""
    blocks: list[dict[str, Any]] = [_markdown(markdown)]
    if footer is not None:
        blocks.append(_context(footer))
    if run_id is not None:
        blocks += [_feedback(run_id), _actions(_button("Why?", WHY, run_id))]
    return {"text": plain(markdown), "blocks": blocks, **NO_PREVIEWS}


def waiting(markdown: str, run_id: str) -> Shown:
    """An answer that goes on when people have decided."""
    blocks = [_markdown(markdown), _actions(_button("Stop", STOP, run_id), _button("Why?", WHY, run_id))]
    return {"text": plain(markdown), "blocks": blocks, **NO_PREVIEWS}


def ended(markdown: str, run_id: str, *, may_retry: bool) -> Shown:
    """An answer that did not come to its end."""
    buttons = [_button("Try again", RETRY, run_id)] if may_retry else []
    blocks = [_markdown(markdown), _actions(*buttons, _button("Why?", WHY, run_id))]
    return {"text": plain(markdown), "blocks": blocks, **NO_PREVIEWS}


def plain(markdown: str) -> str:
    """The words alone, for notifications and for readers of the screen."""
    text = _MARKS.sub("", _FENCES.sub("", markdown)).strip()
    text = escaped(text)
    return text if len(text) <= PLAIN_LONGEST else f"{text[: PLAIN_LONGEST - 1]}…"


def escaped(text: str) -> str:
    """As Slack's own text wants it: nothing in it is taken for a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def markdown_in(message: Mapping[str, Any]) -> str:
    """What a message of ours said, as it was written."""
    blocks = message.get("blocks")
    texts = [
        block.get("text")
        for block in (blocks if isinstance(blocks, list) else [])
        if isinstance(block, dict) and block.get("type") == "markdown"
    ]
    return "\n\n".join(text for text in texts if isinstance(text, str))


def _markdown(text: str) -> dict[str, Any]:
    return {"type": "markdown", "text": text}


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}


def _actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def _button(text: str, action_id: str, value: str) -> dict[str, Any]:
    face = {"type": "plain_text", "text": text, "emoji": True}
    return {"type": "button", "action_id": action_id, "text": face, "value": value}


def _feedback(run_id: str) -> dict[str, Any]:
    def side(text: str, verdict: str) -> dict[str, Any]:
        return {"text": {"type": "plain_text", "text": text}, "value": f"{verdict}:{run_id}"}

    both = {"positive_button": side("Good answer", "good"), "negative_button": side("Bad answer", "bad")}
    return {"type": "context_actions", "elements": [{"type": "feedback_buttons", "action_id": FEEDBACK, **both}]}
