"""A channel, a thread beside it, and where to write in either."""

from collections.abc import Sequence

from services.kit.markup import Markup, el, together
from services.slack_sim.page import status
from services.slack_sim.page.blocks import blocks
from services.slack_sim.page.messages import item
from services.slack_sim.page.seen import Seen
from services.slack_sim.page.sheet import Sheet
from services.slack_sim.world.entities import Ephemeral, Message

SPARE = 200
"""How many more messages come in than are shown at first until a page is drawn anew with only the last."""


def main(seen: Seen) -> Markup:
    """The channel, or the app's home."""
    return el("main", _head(seen), _home(seen) if seen.home else _talk(seen), id="main")


def thread(seen: Seen) -> Markup | None:
    """The thread, where one is shown."""
    channel = seen.channel
    if seen.thread is None or channel is None:
        return None
    close = el("a", el("span", "←", class_="narrow"), el("span", "×", class_="broad"), class_="icon", data_do="go",
               href=seen.address(thread=None), aria_label="Close the thread")  # fmt: skip
    where = f"#{channel.name}" if channel.name else seen.viewer.channel_name(channel)
    named = el("div", el("h2", status.title(seen) or "Thread", id="thread-title"), el("small", where))
    return el(
        "aside", el("header", close, named), messages(seen, in_thread=True), status.thread_status(seen),
        status.prompts(seen, in_thread=True), _composer(seen, in_thread=True), id="thread", aria_label="Thread",
    )  # fmt: skip


def messages(seen: Seen, *, in_thread: bool) -> Markup:
    """The messages, the oldest first."""
    name = "replies" if in_thread else "messages"
    label = "Messages in the thread" if in_thread else "Messages"
    shown = _shown(seen, seen.replies() if in_thread else seen.messages(), in_thread=in_thread)
    drawn = [item(seen, each, in_thread=in_thread) for each in shown]
    more = el("button", "Earlier messages", type="button", class_="button earlier", data_do="earlier")
    return el(
        "div", more if _has_more(seen, in_thread=in_thread) else None, drawn, id=name, class_="log", role="log",
        aria_live="polite", aria_label=label, tabindex="0", data_pin=True, data_most=seen.most + SPARE,
    )  # fmt: skip


def _has_more(seen: Seen, *, in_thread: bool) -> bool:
    if seen.channel is None:
        return False
    conversation = seen.slack.world.conversations[seen.channel.id]
    if in_thread:
        return len(conversation.replies(seen.thread or "")) > seen.most
    return len(conversation.between("", "", inclusive=True)) > seen.most


def _shown(seen: Seen, said: Sequence[Message], *, in_thread: bool) -> list[Message | Ephemeral]:
    """With what only this person sees. What is older than the first message that is shown is not."""
    oldest = said[0].ts if len(said) >= seen.most else ""
    only = [
        each
        for each in seen.slack.world.ephemerals.values()
        if is_shown(seen, each, in_thread=in_thread) and each.ts > oldest
    ]
    return sorted([*said, *only], key=lambda each: (each.ts != seen.thread if in_thread else False, each.ts))


def is_shown(seen: Seen, ephemeral: Ephemeral, *, in_thread: bool) -> bool:
    """Whether it stands in this channel or thread."""
    mine = seen.channel is not None and (ephemeral.channel, ephemeral.to) == (seen.channel.id, seen.user.id)
    return mine and ephemeral.thread_ts == (seen.thread if in_thread else None)


def _head(seen: Seen) -> Markup:
    channel = seen.channel
    title, about = "No conversation", ""
    if channel is not None:
        sign = "#" if channel.kind == "channel" else ""
        title = f"{sign}{seen.viewer.channel_name(channel)}"
        about = channel.topic or (f"{len(channel.members)} members" if channel.name else "")
    back = el("a", "←", href=f"{seen.address(thread=None)}&list=1", class_="icon narrow", data_do="go",
              aria_label="All conversations")  # fmt: skip
    inspect = el(
        "a", "Inspector", href=seen.address(inspector=not seen.inspector), class_="button", data_do="go",
        id="inspector-toggle", role="button", aria_pressed="true" if seen.inspector else "false",
    )  # fmt: skip
    named = el("div", el("h1", title), el("small", about) if about else None)
    return el("header", back, named, _tabs(seen), inspect)


def _tabs(seen: Seen) -> Markup | None:
    """An app's messages and its home; for an app of the older kind, a new thread."""
    app = seen.app
    if app is None:
        return None
    tabs = [
        el("button", label, type="button", class_="tab", data_do="open", data_app=app.id, data_tab=tab,
           aria_current="true" if seen.home is (tab == "home") else None)
        for tab, label in (("messages", "Messages"), ("home", "Home"))
    ]  # fmt: skip
    new = el("button", "New thread", type="button", class_="button", data_do="assistant", data_app=app.id)
    return together(el("div", tabs, class_="tabs"), new if app.surface == "assistant" else None)


def _home(seen: Seen) -> Markup:
    view = seen.home_view()
    if view is None:
        said = el("p", "This app has not published a home.", class_="empty")
        return el("div", said, id="home", class_="log home")
    sheet = Sheet(seen.viewer, view.id, view.values)
    inner = blocks(sheet, view.body.get("blocks"))
    return el("div", inner, id="home", class_="log home", data_place="view", data_view=view.id, tabindex="0")


def _talk(seen: Seen) -> Markup:
    return together(
        messages(seen, in_thread=False),
        status.channel_status(seen),
        status.prompts(seen, in_thread=False),
        _composer(seen, in_thread=False),
    )


def _composer(seen: Seen, *, in_thread: bool) -> Markup:
    channel = seen.channel
    name = "thread-composer" if in_thread else "channel-composer"
    if channel is None:
        return el("div", id=name)
    if channel.archived:
        return el("div", el("p", "This channel is archived."), id=name, class_="outside")
    if seen.user.id not in channel.members:
        join = el("button", f"Join #{channel.name}", type="button", class_="button primary", data_do="join")
        return el("div", join, id=name, class_="outside")
    where = f"#{channel.name}" if channel.kind in {"channel", "group"} else seen.viewer.channel_name(channel)
    label = "Reply…" if in_thread else f"Message {where}"
    area = el(
        "textarea", rows="1", placeholder=label, aria_label=label, autocomplete="off", aria_autocomplete="list",
        data_draft=f"{seen.user.id}/{channel.id}/{seen.thread if in_thread else ''}", maxlength="40000",
    )  # fmt: skip
    box = el("label", el("input", type="checkbox", name="broadcast"), "Also send to the channel", class_="choice")
    send = el("button", "Send", type="submit", class_="button primary")
    row = el("div", box if in_thread and channel.name else el("span"), send, class_="below")
    return el("form", area, row, id=name, class_="composer", data_thread=seen.thread if in_thread else None)
