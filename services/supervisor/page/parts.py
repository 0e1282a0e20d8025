"""The small parts of the page."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from schemas.agent import AgentStatus
from services.kit.markup import Child, Markup, el, link
from services.supervisor.decisions.blocks import lasted, revealed
from services.supervisor.decisions.looks import LOOKS

CENT: Final = 0.01


def said(text: str) -> str:
    """What somebody wrote, with nothing in it that hides or turns round what stands beside it."""
    return revealed(text)


def pill(status: AgentStatus) -> Markup:
    """How a task is."""
    look = LOOKS[status]
    emoji = el("span", look.emoji, aria_hidden="true")
    return el("span", emoji, " ", look.words.capitalize(), class_="pill", data_status=status)


def bar(share: float | None, name: str) -> Markup:
    """How far something is. Its room is kept where nothing is known."""
    if share is None:
        return el("div", class_="progress")
    inside = min(1.0, max(0.0, share))
    meter = el("progress", value=f"{inside:.4f}", max="1", aria_label=name)
    return el("div", meter, el("span", f"{share:.0%}"), class_="progress")


def moment(at: datetime, now: datetime, *, is_precise: bool = False) -> Markup:
    """A time of day, and the day where it is another."""
    clock = f"{at:%H:%M:%S}" if is_precise else f"{at:%H:%M}"
    shown = clock if at.date() == now.date() else f"{at:%b} {at.day}, {clock}"
    return el("time", f"{shown} UTC", datetime=at.isoformat(timespec="seconds"), data_precise=is_precise)


def ago(at: datetime, now: datetime) -> str:
    """How long ago."""
    return f"{lasted((now - at).total_seconds())} ago"


def money(usd: float) -> str:
    """What it cost."""
    if not usd:
        return "$0"
    return f"${usd:,.2f}" if usd >= CENT else f"${usd:.4f}"


def facts(pairs: Iterable[tuple[str, Child]]) -> Markup:
    """Names and values."""
    return el("dl", [el("div", el("dt", name), el("dd", value)) for name, value in pairs], class_="facts")


def to_task(task_id: str, words: Child) -> Markup:
    """A link to one task."""
    return el("a", words, href=f"/show/{task_id}")


def out(url: str | None, words: str) -> Markup:
    """A link to somewhere else, where that is a place to go."""
    if url is None:
        return el("span", said(words))
    shown = link(url, said(words))
    return shown if shown.startswith("<a") else el("span", said(words), " ", el("code", said(url)))
