"""Messages, as HTML: those that all see, and those that one person sees."""

import logging
import re
from typing import Any

from services.kit.markup import Markup, el, link, together
from services.slack_sim.page import emoji
from services.slack_sim.page.blocks import blocks
from services.slack_sim.page.cards import plan
from services.slack_sim.page.markdown import markdown
from services.slack_sim.page.mrkdwn import mrkdwn
from services.slack_sim.page.seen import Seen
from services.slack_sim.page.sheet import Sheet, words
from services.slack_sim.page.stamps import clock
from services.slack_sim.page.status import sessions_of
from services.slack_sim.page.tools import reactions, tools
from services.slack_sim.page.viewer import hue, initials
from services.slack_sim.telling.shapes import Json
from services.slack_sim.world.entities import Ephemeral, Message, Stream

log = logging.getLogger(__name__)

QUIET = {"channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name"}
ENDED = {"stopped_by_user": "Stopped", "expired": "It said nothing more for too long, and was ended."}


def item_id(shown: Message | Ephemeral, *, in_thread: bool) -> str:
    """A message's id on the page: the root of a thread stands there twice."""
    return f"{'t' if in_thread else 'm'}-{shown.ts}"


def item(seen: Seen, shown: Message | Ephemeral, *, in_thread: bool) -> Markup:
    """Either kind. What an app put into it may be nothing that can be drawn."""
    try:
        return _item(seen, shown, in_thread=in_thread)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        log.warning("the message %s cannot be drawn: %s", shown.ts, repr(error))
        said = el("div", "This message cannot be shown. The inspector has it.", class_="text")
        return _article(shown, [said, clock(shown.ts)], "quiet-line", in_thread=in_thread)


def _item(seen: Seen, shown: Message | Ephemeral, *, in_thread: bool) -> Markup:
    if isinstance(shown, Ephemeral):
        return _ephemeral(seen, shown, in_thread=in_thread)
    if shown.subtype in QUIET:
        text = el("div", mrkdwn(seen.viewer, shown.text), class_="text")
        return _article(shown, [text, clock(shown.ts)], "quiet-line", in_thread=in_thread)
    return _message(seen, shown, in_thread=in_thread)


def _article(shown: Message | Ephemeral, inner: list[Any], kind: str, *, in_thread: bool, busy: bool = False) -> Markup:
    return el(
        "article", inner, id=item_id(shown, in_thread=in_thread), class_=kind, data_ts=shown.ts, data_at=shown.ts,
        data_place="message", tabindex="-1", aria_busy="true" if busy else None,
    )  # fmt: skip


def _message(seen: Seen, message: Message, *, in_thread: bool) -> Markup:
    streaming = message.stream is not None and message.stream.state == "streaming"
    sheet = Sheet(seen.viewer, item_id(message, in_thread=in_thread))
    body = el(
        "div", _head(seen, message), _told_twice(message, in_thread=in_thread), _said(sheet, message),
        _attachments(sheet, message), _files(seen, message), reactions(seen, message),
        None if in_thread else _summary(seen, message), class_="body",
    )  # fmt: skip
    inner = [_picture(seen, message), body, tools(seen, message, in_thread=in_thread)]
    return _article(message, inner, "message streaming" if streaming else "message", in_thread=in_thread,
                    busy=streaming)  # fmt: skip


def _ephemeral(seen: Seen, shown: Ephemeral, *, in_thread: bool) -> Markup:
    sheet = Sheet(seen.viewer, item_id(shown, in_thread=in_thread))
    name = "Slackbot" if shown.bot_user_id == "USLACKBOT" else seen.viewer.name(shown.bot_user_id)
    said = blocks(sheet, shown.blocks) if shown.blocks else el("div", mrkdwn(seen.viewer, shown.text), class_="text")
    head = el("div", el("b", name), el("span", "APP", class_="badge"), clock(shown.ts), class_="head")
    note = el("div", "Only visible to you", class_="only")
    picture = el("span", initials(name), class_=f"picture app {hue(shown.bot_user_id)}", aria_hidden="true")
    return _article(shown, [picture, el("div", note, head, said, class_="body")], "message ephemeral",
                    in_thread=in_thread)  # fmt: skip


def _name(seen: Seen, message: Message) -> str:
    app = seen.slack.world.apps.get(message.app_id or "")
    return message.username or (app.name if app else seen.viewer.name(message.user))


def _picture(seen: Seen, message: Message) -> Markup:
    name = _name(seen, message)
    sign = emoji.shown(message.icon.strip(":")) if message.icon and message.icon.startswith(":") else initials(name)
    kind = "picture app" if message.bot_id else "picture"
    return el("span", sign, class_=f"{kind} {hue(message.username or message.user)}", aria_hidden="true")


def _head(seen: Seen, message: Message) -> Markup:
    badge = el("span", "APP", class_="badge") if message.bot_id else None
    edited = el("small", "(edited)") if message.edited_ts else None
    return el("div", el("b", _name(seen, message)), badge, clock(message.ts), edited, class_="head")


def _told_twice(message: Message, *, in_thread: bool) -> Markup | None:
    if message.subtype != "thread_broadcast":
        return None
    said = "also sent to the channel" if in_thread else "replied to a thread"
    return el("div", said, class_="only")


def _said(sheet: Sheet, message: Message) -> Markup:
    if message.stream is not None and message.edited_ts is None:  # an edit takes the place of what was streamed
        return _streamed(sheet, message, message.stream)
    if message.blocks:
        return blocks(sheet, message.blocks)
    write = markdown if message.markdown else mrkdwn
    return el("div", write(sheet.viewer, message.text), class_="text") if message.text else Markup()


def _streamed(sheet: Sheet, message: Message, stream: Stream) -> Markup:
    """What an agent wrote while people read it: its plan, its words, and how it ended."""
    ended = ENDED.get(stream.state)
    return together(
        plan(sheet, stream.plan or "", stream.tasks) if stream.tasks or stream.plan else None,
        el("div", markdown(sheet.viewer, message.text), class_="text stream"),
        blocks(sheet, message.blocks),
        el("div", ended, class_="only") if ended else None,
    )


def _attachments(sheet: Sheet, message: Message) -> Markup:
    return together(_attachment(sheet, each) for each in message.attachments or [])


def _bar(color: object) -> Markup | None:
    """The bar beside an attachment. The page takes no style from outside its sheets, and this is none."""
    if not isinstance(color, str) or not re.fullmatch("[0-9a-fA-F]{6}", color):
        return None
    return el("svg", el("rect", width="100%", height="100%", fill=f"#{color}"), class_="bar", aria_hidden="true")


def _attachment(sheet: Sheet, given: Json) -> Markup:
    title = words(given.get("title"))
    pretext, text, footer = (words(given.get(name)) for name in ("pretext", "text", "footer"))
    fields = [each for each in given.get("fields") or [] if isinstance(each, dict)]
    pairs = [el("div", el("b", words(each.get("title"))), el("span", words(each.get("value")))) for each in fields]
    inner = el(
        "div", _bar(given.get("color")), el("b", link(str(given.get("title_link") or ""), title)) if title else None,
        el("div", mrkdwn(sheet.viewer, text), class_="text") if text else None,
        el("div", pairs, class_="fields") if pairs else None, blocks(sheet, given.get("blocks")),
        el("small", footer) if footer else None, class_="attachment",
    )  # fmt: skip
    return together(el("div", mrkdwn(sheet.viewer, pretext), class_="text") if pretext else None, inner)


def _files(seen: Seen, message: Message) -> Markup | None:
    files = [seen.slack.world.files[each] for each in message.files or [] if each in seen.slack.world.files]
    drawn = [el("li", each.title or each.name, el("small", f" {each.size:,} bytes")) for each in files]
    return el("ul", drawn, class_="files") if drawn else None


def _summary(seen: Seen, message: Message) -> Markup | None:
    """The thread that hangs on it: how many replies, and whether an agent is at work in it."""
    conversation = seen.slack.world.conversations[message.channel]
    replies = conversation.replies(message.ts)
    sessions = sessions_of(seen, message.channel, message.ts)
    working = any(each.status == "processing" or each.line for each in sessions)
    if not replies and not working:
        return None
    count = f"{len(replies)} repl{'y' if len(replies) == 1 else 'ies'}"
    return el(
        "a", el("b", count), el("span", "working…", class_="working") if working else clock(replies[-1]),
        class_="summary", href=seen.address(thread=message.ts), data_do="go",
    )  # fmt: skip
