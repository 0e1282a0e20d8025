"""The whole page: what a browser gets first, and again when it looks elsewhere."""

from services.kit.markup import Markup, el, together
from services.slack_sim.page import conversation
from services.slack_sim.page.inspector import inspector
from services.slack_sim.page.reading import Reading
from services.slack_sim.page.seen import Seen
from services.slack_sim.page.sidebar import sidebar
from services.slack_sim.page.tools import known
from services.slack_sim.page.views import modal

STYLES = ("page.css", "chat.css", "blocks.css", "inspector.css")
SCRIPT = "page.js"
POLICY = (
    "default-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def whole(seen: Seen, reading: Reading) -> str:
    """The document."""
    head = el(
        "head", el("meta", charset="utf-8"), el("title", title(seen)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1, interactive-widget=resizes-content"),
        el("meta", name="color-scheme", content="light dark"),
        el("link", rel="icon", href="data:,"),
        [el("link", rel="stylesheet", href=f"/static/{each}") for each in STYLES],
        el("script", src=f"/static/{SCRIPT}", type="module"),
    )  # fmt: skip
    return _document(head, el("body", body(seen, reading), _furniture()))


def body(seen: Seen, reading: Reading) -> Markup:
    """What changes when a browser looks elsewhere."""
    if seen.channel is not None:
        reading.read(seen.user, seen.channel)
    pane = "thread" if seen.thread else "list" if seen.listing else "main"
    skip = el("a", "Skip to the messages", href="#messages", class_="skip")
    return el(
        "div", skip, sidebar(seen, reading), conversation.main(seen), conversation.thread(seen), inspector(seen),
        modal(seen), known(seen), id="app", data_pane=pane, data_title=title(seen), data_user=seen.user.id,
        data_team=seen.team.id, data_channel=seen.channel.id if seen.channel else None, data_thread=seen.thread,
        data_inspector=seen.inspector,
    )  # fmt: skip


def empty() -> str:
    """What is shown while there is nobody to be."""
    head = together(
        el("meta", charset="utf-8"), el("title", "A local Slack"), el("link", rel="stylesheet", href="/static/page.css")
    )
    said = el("p", "There is no workspace with a person in it. Make one with the control API at /_sim/, and reload.")
    return _document(el("head", head), el("body", el("main", el("h1", "A local Slack"), said, class_="sheet")))


def title(seen: Seen) -> str:
    """What the browser's tab says."""
    return f"{seen.viewer.channel_name(seen.channel)} - {seen.team.name}" if seen.channel else seen.team.name


def _document(head: Markup, content: Markup) -> str:
    return f'<!doctype html><html lang="en">{head}{content}</html>'


def _furniture() -> Markup:
    """What the script shows when it is needed: a question, a place to edit, short notes, whether it is connected."""
    question = el(
        "dialog", el("h2", id="question-title"), el("p", id="question-text"),
        el("footer", el("button", "Cancel", type="button", class_="button", id="question-no"),
           el("button", "OK", type="button", class_="button primary", id="question-yes")),
        id="question", aria_labelledby="question-title",
    )  # fmt: skip
    editing = el(
        "dialog", el("form", el("h2", "Edit the message", id="editing-title"),
                     el("textarea", rows="5", aria_labelledby="editing-title", maxlength="40000"),
                     el("footer", el("button", "Cancel", type="button", class_="button", data_do="stop-editing"),
                        el("button", "Save", type="submit", class_="button primary"))),
        id="editing", aria_labelledby="editing-title",
    )  # fmt: skip
    return together(
        question,
        editing,
        el("div", id="menu", role="menu", hidden=True),
        el("ul", id="completion", role="listbox", aria_label="Suggestions", hidden=True),
        el("div", id="toasts", role="alert"),
        el("div", "Connecting again…", id="offline", role="status", hidden=True),
    )
