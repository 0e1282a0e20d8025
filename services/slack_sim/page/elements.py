"""What people can press, choose and fill in."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from services.kit.markup import Attribute, Markup, el, safe_url, together
from services.slack_sim.page.sheet import Sheet, words
from services.slack_sim.telling.shapes import Json

Draw = Callable[[Sheet, Json, Json], Markup]
Choice = tuple[str, str, str]
"""A value, what it is called, and what is said about it."""


def element(sheet: Sheet, block: Json, part: Json) -> Markup:
    """Any of them."""
    draw = _ELEMENTS.get(str(part.get("type")))
    return draw(sheet, block, part) if draw else el("span", str(part.get("type")), class_="unknown")


def element_id(sheet: Sheet, block: Json, part: Json) -> str:
    """Its id on the page."""
    return f"{sheet.key}-{block.get('block_id', '')}-{part.get('action_id', '')}"


def is_group(part: Json) -> bool:
    """Whether it consists of several things, which a legend stands above."""
    return part.get("type") in {"checkboxes", "radio_buttons"} or str(part.get("type")).startswith("multi_")


def _named(sheet: Sheet, block: Json, part: Json) -> dict[str, Attribute]:
    """What the script must know of it."""
    confirm = part.get("confirm")
    inputs = block.get("type") == "input"
    return {
        "id": element_id(sheet, block, part),
        "data_action": str(part.get("action_id", "")),
        "data_block": str(block.get("block_id", "")),
        "data_kind": str(part.get("type", "")),
        "data_told": not inputs or block.get("dispatch_action") is True,
        "data_confirm": json.dumps(_confirm(confirm)) if isinstance(confirm, dict) else None,
    }


def _described(sheet: Sheet, block: Json, part: Json) -> dict[str, Attribute]:
    """What an input is called and what is wrong with it, for who cannot see it."""
    if block.get("type") != "input":
        return {"aria_label": words(part.get("placeholder")) or words(block.get("text")) or "Choose"}
    wrong = str(block.get("block_id")) in sheet.errors
    name = element_id(sheet, block, part)
    return {
        "required": not block.get("optional"),
        "aria_invalid": "true" if wrong else None,
        "aria_describedby": f"{name}-error" if wrong else f"{name}-hint" if block.get("hint") else None,
    }


def _confirm(confirm: Json) -> dict[str, str]:
    said = {name: words(confirm.get(name)) for name in ("title", "text", "confirm", "deny")}
    return said | {"style": str(confirm.get("style", ""))}


def _button(sheet: Sheet, block: Json, part: Json) -> Markup:
    style = part.get("style")
    given = _named(sheet, block, part) | {
        "class_": f"button {style}" if style in {"primary", "danger"} else "button",
        "aria_label": str(part["accessibility_label"]) if part.get("accessibility_label") else None,
        "data_do": "press",
    }
    label = words(part.get("text"))
    url = safe_url(part.get("url"))
    if url is not None:
        return el("a", label, href=url, target="_blank", rel="noopener noreferrer", **given)
    return el("button", label, type="button", **given)


def _feedback(sheet: Sheet, block: Json, part: Json) -> Markup:
    buttons = []
    for side, sign in (("positive_button", "👍"), ("negative_button", "👎")):
        one = part.get(side) or {}
        label = words(one.get("text"))
        given = _named(sheet, block, part) | {
            "id": f"{element_id(sheet, block, part)}-{side}",
            "value": str(one.get("value", "")),
            "title": label,
            "aria_label": str(one.get("accessibility_label") or label),
        }
        buttons.append(el("button", sign, type="button", class_="quiet", data_do="press", **given))
    return together(buttons)


def _icon(sheet: Sheet, block: Json, part: Json) -> Markup:
    label = words(part.get("text"))
    given = _named(sheet, block, part)
    return el("button", label, type="button", class_="quiet", data_do="press", title=label, **given)


def _choices(part: Json) -> list[tuple[str | None, list[Choice]]]:
    """What there is to choose from, by the heading it stands under."""
    groups: list[tuple[str | None, list[Choice]]] = []
    if part.get("options"):
        groups.append((None, [_choice(each) for each in part["options"]]))
    grouped = part.get("option_groups") or []
    return groups + [(words(each.get("label")), list(map(_choice, each.get("options") or []))) for each in grouped]


def _choice(option: Json) -> Choice:
    return str(option.get("value", "")), words(option.get("text")), words(option.get("description"))


def _around(sheet: Sheet, kind: str) -> list[tuple[str | None, list[Choice]]]:
    """The people or conversations to choose from."""
    viewer = sheet.viewer
    if "users" in kind:
        around = [each for each in viewer.world.users_of(viewer.user.team_id) if not each.deleted]
        return [(None, [(each.id, each.real_name, "") for each in around])]
    channels = [each for each in viewer.world.channels_of(viewer.user.team_id) if viewer.sees(each)]
    if "channels" in kind:
        channels = [each for each in channels if each.kind == "channel"]
    return [(None, [(each.id, viewer.channel_name(each), "") for each in channels])]


def _all_choices(sheet: Sheet, part: Json) -> list[tuple[str | None, list[Choice]]]:
    kind = str(part.get("type"))
    if any(name in kind for name in ("users", "conversations", "channels")):
        return _around(sheet, kind)
    return _choices(part)


def _select(sheet: Sheet, block: Json, part: Json) -> Markup:
    chosen = sheet.chosen(block, part)
    options: list[Markup] = [el("option", words(part.get("placeholder")) or "Choose…", value="")]
    for heading, choices in _all_choices(sheet, part):
        drawn = [el("option", label, value=value, selected=value in chosen) for value, label, _ in choices]
        options += [el("optgroup", drawn, label=heading)] if heading else drawn
    return el("select", options, **_named(sheet, block, part), **_described(sheet, block, part))


def _overflow(sheet: Sheet, block: Json, part: Json) -> Markup:
    choices = [each for _, group in _choices(part) for each in group]
    options = [el("option", "⋯", value=""), *(el("option", label, value=value) for value, label, _ in choices)]
    return el("select", options, class_="overflow", aria_label="More actions", **_named(sheet, block, part))


def _many(sheet: Sheet, block: Json, part: Json) -> Markup:
    """Boxes to tick, or one of several; where there may be many of them, they fold."""
    one = part.get("type") == "radio_buttons"
    chosen = sheet.chosen(block, part)
    name = element_id(sheet, block, part)
    drawn: list[Markup] = []
    for heading, choices in _all_choices(sheet, part):
        drawn += [el("b", heading)] if heading else []
        drawn += [_box(name, each, one=one, chosen=chosen) for each in choices]
    boxes = el(
        "div", drawn, class_="choices", role="radiogroup" if one else "group",
        data_required=block.get("type") == "input" and not block.get("optional"), **_named(sheet, block, part),
    )  # fmt: skip
    if not str(part.get("type")).startswith("multi_"):
        return boxes
    label = f"{len(chosen)} chosen" if chosen else words(part.get("placeholder")) or "Choose…"
    return el("details", el("summary", label), boxes, class_="many")


def _box(name: str, choice: Choice, *, one: bool, chosen: list[str]) -> Markup:
    value, label, about = choice
    box = el("input", type="radio" if one else "checkbox", name=name, value=value, checked=value in chosen)
    said = el("span", label, el("small", about) if about else None)
    return el("label", box, said, class_="choice")


def _typed(kind: str) -> Draw:
    """A field of one line, of some kind."""

    def draw(sheet: Sheet, block: Json, part: Json) -> Markup:
        chosen = sheet.chosen(block, part)
        moment = chosen[0] if chosen and kind == "datetime-local" else None
        step = "any" if part.get("is_decimal_allowed") else None
        return el(
            "input", type=kind, value=chosen[0] if chosen and moment is None else None, data_unix=moment, step=step,
            placeholder=words(part.get("placeholder")) or None, **_bounds(part), **_named(sheet, block, part),
            **_described(sheet, block, part),
        )  # fmt: skip

    return draw


def _bounds(part: Json) -> dict[str, Attribute]:
    names = {"min_length": "minlength", "max_length": "maxlength", "min_value": "min", "max_value": "max"}
    return {html: str(part[slack]) for slack, html in names.items() if part.get(slack) is not None}


def _text_area(sheet: Sheet, block: Json, part: Json) -> Markup:
    if part.get("type") == "plain_text_input" and not part.get("multiline"):
        return _typed("text")(sheet, block, part)
    chosen = sheet.chosen(block, part)
    placeholder = words(part.get("placeholder")) or None
    named = _named(sheet, block, part) | _described(sheet, block, part) | _bounds(part)
    return el("textarea", chosen[0] if chosen else "", rows=4, placeholder=placeholder, **named)


def _external(sheet: Sheet, block: Json, part: Json) -> Markup:
    """A field in which the app completes what is typed. What is chosen stands beside what is shown."""
    chosen = sheet.chosen(block, part)
    given = _named(sheet, block, part) | _described(sheet, block, part)
    least = part.get("min_query_length")
    return el(
        "input", type="text", role="combobox", autocomplete="off", aria_autocomplete="list", aria_expanded="false",
        placeholder=words(part.get("placeholder")) or "Type to search…", value=", ".join(chosen) or None,
        data_value=json.dumps(chosen), data_least=least if isinstance(least, int) else 3,
        data_many=str(part.get("type")).startswith("multi_"), **given,
    )  # fmt: skip


def _note(text: str) -> Draw:
    def draw(_: Sheet, __: Json, ___: Json) -> Markup:
        return el("span", text, class_="unknown")

    return draw


def image(sheet: Sheet, part: Any) -> Markup:
    """A picture's place. Nothing is fetched from elsewhere."""
    url = safe_url(part.get("image_url"))
    title = sheet.text(part["title"]) if part.get("title") else None
    alt = str(part.get("alt_text") or "image")
    return el("span", el("b", title) if title else None, el("span", alt), class_="image", role="img", aria_label=alt,
              title=url)  # fmt: skip


_ELEMENTS: Mapping[str, Draw] = {
    "button": _button,
    "workflow_button": _button,
    "icon_button": _icon,
    "feedback_buttons": _feedback,
    "overflow": _overflow,
    "checkboxes": _many,
    "radio_buttons": _many,
    **dict.fromkeys(("static_select", "users_select", "conversations_select", "channels_select"), _select),
    **dict.fromkeys(
        ("multi_static_select", "multi_users_select", "multi_conversations_select", "multi_channels_select"), _many
    ),
    **dict.fromkeys(("external_select", "multi_external_select"), _external),
    "datepicker": _typed("date"),
    "timepicker": _typed("time"),
    "datetimepicker": _typed("datetime-local"),
    "plain_text_input": _text_area,
    "rich_text_input": _text_area,
    "number_input": _typed("number"),
    "email_text_input": _typed("email"),
    "url_text_input": _typed("url"),
    "file_input": _note("Files cannot be given here."),
    "image": lambda sheet, _, part: image(sheet, part),
    "plain_text": lambda sheet, _, part: el("span", sheet.text(part)),
    "mrkdwn": lambda sheet, _, part: el("span", sheet.text(part)),
}
