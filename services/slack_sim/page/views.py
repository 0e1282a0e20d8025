"""Modals: the topmost one that somebody has open, with its inputs and what is wrong with them."""

from services.kit.markup import Markup, el
from services.slack_sim.page.blocks import blocks
from services.slack_sim.page.seen import Seen
from services.slack_sim.page.sheet import Sheet, words
from services.slack_sim.world.entities import View


def modal(seen: Seen) -> Markup:
    """The dialog. The script opens it when there is a view in it, and closes it when there is none."""
    view = seen.modal()
    if view is None:
        return el("dialog", id="modal", aria_labelledby="modal-title")
    return el("dialog", _form(seen, view), id="modal", aria_labelledby="modal-title", data_view=view.id)


def _form(seen: Seen, view: View) -> Markup:
    body = view.body
    sheet = Sheet(seen.viewer, view.id, view.values, view.errors)
    app = seen.slack.world.apps.get(view.app_id)
    submit = words(body["submit"]) if body.get("submit") else None
    close = words(body["close"]) if body.get("close") else "Cancel" if submit else "Close"
    known = {str(each.get("block_id")) for each in body["blocks"]}
    general = [el("p", text, class_="error", role="alert") for name, text in view.errors.items() if name not in known]
    named = el("div", el("h2", words(body.get("title")), id="modal-title"), el("small", app.name if app else ""))
    cross = el("button", "×", type="button", class_="icon", data_do="close-view", aria_label="Close")
    return el(
        "form", el("header", named, cross), el("div", general, blocks(sheet, body["blocks"]), class_="inner"),
        el("footer", el("button", close, type="button", class_="button", data_do="close-view"),
           el("button", submit, type="submit", class_="button primary") if submit else None),
        id=f"form-{view.id}", data_place="view", data_view=view.id, data_form="view",
    )  # fmt: skip
