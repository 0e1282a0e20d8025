"""Block Kit's rules: which blocks and elements there are, what each must have, how long and how many may be."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from services.slack_sim.refusal import Refusal

MESSAGE, VIEW = 50, 100
"""How many blocks there may be."""
LONGEST_BLOCKS = 13_200
LONGEST_MARKDOWN = 12_000
LONGEST_ID = 255

Rule = Callable[["Found", Any, str], None]


@dataclass
class Found:
    """What is wrong, and where."""

    problems: list[str] = field(default_factory=list)

    def say(self, what: str, where: str) -> None:
        """Takes note of a problem."""
        self.problems.append(f"{what} [json-pointer:{where}]")


def _text(longest: int, *, plain: bool = False) -> Rule:
    """A text object."""

    def rule(found: Found, value: Any, where: str) -> None:
        kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
        if not isinstance(value, dict) or value.get("type") not in kinds:
            found.say("failed to match all allowed schemas", where)
            if isinstance(value, dict):
                found.say("must be a valid enum value", f"{where}/type")
            return
        _string(longest, 1)(found, value.get("text"), f"{where}/text")

    return rule


def _string(longest: int, shortest: int = 0) -> Rule:
    def rule(found: Found, value: Any, where: str) -> None:
        if not isinstance(value, str):
            found.say("must be a string", where)
        elif len(value) < shortest:
            found.say(f"must be more than {shortest - 1} characters", where)
        elif len(value) > longest:
            found.say(f"must be less than {longest + 1} characters", where)

    return rule


def _enum(*allowed: str) -> Rule:
    def rule(found: Found, value: Any, where: str) -> None:
        if value not in allowed:
            found.say("must be a valid enum value", where)

    return rule


def _list(of: Rule, most: int, fewest: int = 1) -> Rule:
    def rule(found: Found, value: Any, where: str) -> None:
        if not isinstance(value, list):
            found.say("must be an array", where)
            return
        if len(value) < fewest:
            found.say(f"no less than {fewest} items allowed", where)
        if len(value) > most:
            found.say(f"no more than {most} items allowed", where)
        for index, each in enumerate(value[:most]):
            of(found, each, f"{where}/{index}")

    return rule


def _anything(_: Found, __: Any, ___: str) -> None:
    return


def _never(found: Found, _: Any, where: str) -> None:
    found.say("invalid additional property", where)


def _object(found: Found, value: Any, where: str) -> None:
    if not isinstance(value, dict):
        found.say("must provide an object", where)


@dataclass(frozen=True)
class Shape:
    """What an object must and may have, and which of some it needs one of."""

    needs: Mapping[str, Rule] = field(default_factory=dict)
    takes: Mapping[str, Rule] = field(default_factory=dict)
    one_of: Sequence[str] = ()

    def __call__(self, found: Found, value: Any, where: str) -> None:
        """Checks one."""
        if not isinstance(value, dict):
            found.say("must provide an object", where)
            return
        for name in self.needs:
            if value.get(name) is None:
                found.say(f"missing required field: {name}", where)
        if self.one_of and not any(value.get(name) is not None for name in self.one_of):
            found.say(f"missing required field: {self.one_of[0]}", where)
        for name, rule in (*self.needs.items(), *self.takes.items()):
            if value.get(name) is not None:
                rule(found, value[name], f"{where}/{name}")


def _typed(shapes: Mapping[str, Shape]) -> Rule:
    """One of several kinds, by its `type`."""

    def rule(found: Found, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            found.say("must provide an object", where)
            return
        shape = shapes.get(str(value.get("type")))
        if shape is None:
            found.say(f"unsupported type: {value.get('type')}", f"{where}/type")
            return
        shape(found, value, where)

    return rule


_CONFIRM = Shape(
    {
        "title": _text(100, plain=True),
        "text": _text(300),
        "confirm": _text(30, plain=True),
        "deny": _text(30, plain=True),
    },
    {"style": _enum("primary", "danger")},
)
_OPTION = Shape({"text": _text(75), "value": _string(150)}, {"description": _text(75), "url": _never})
_LINKED_OPTION = Shape({"text": _text(75), "value": _string(150)}, {"description": _text(75), "url": _string(3000)})
_OPTIONS = _list(_OPTION, 100)
_GROUPS = _list(Shape({"label": _text(75, plain=True), "options": _OPTIONS}), 100)
_ELEMENT: dict[str, Rule] = {"action_id": _string(LONGEST_ID), "confirm": _CONFIRM}
_PLACEHOLDER: dict[str, Rule] = {**_ELEMENT, "placeholder": _text(150, plain=True)}
_SELECT: dict[str, Rule] = {**_PLACEHOLDER, "options": _OPTIONS, "option_groups": _GROUPS}
_BUTTON = Shape(
    {"text": _text(75, plain=True)},
    {
        **_ELEMENT,
        "value": _string(2000),
        "url": _string(3000),
        "style": _enum("primary", "danger"),
        "accessibility_label": _string(75),
    },
)
_IMAGE = Shape({"alt_text": _string(2000)}, {"image_url": _string(3000)}, ("image_url", "slack_file"))
_FEEDBACK = Shape({"text": _text(75, plain=True), "value": _string(2000)}, {"accessibility_label": _string(75)})
_CHOICES = Shape({"options": _list(_OPTION, 10)}, _ELEMENT)
_OPEN = Shape({}, _PLACEHOLDER)
_INPUT = Shape({}, {**_PLACEHOLDER, "initial_value": _string(3000)})

ELEMENTS: dict[str, Shape] = {
    "button": _BUTTON,
    "workflow_button": Shape({"text": _text(75, plain=True), "workflow": _object}),
    "overflow": Shape({"options": _list(_LINKED_OPTION, 5)}, _ELEMENT),
    "checkboxes": _CHOICES,
    "radio_buttons": _CHOICES,
    "static_select": Shape({}, _SELECT, ("options", "option_groups")),
    "multi_static_select": Shape({}, _SELECT, ("options", "option_groups")),
    **dict.fromkeys(("external_select", "multi_external_select"), _OPEN),
    **dict.fromkeys(("users_select", "multi_users_select"), _OPEN),
    **dict.fromkeys(("conversations_select", "multi_conversations_select"), _OPEN),
    **dict.fromkeys(("channels_select", "multi_channels_select"), _OPEN),
    **dict.fromkeys(("datepicker", "timepicker", "datetimepicker"), _OPEN),
}
"""What a section's accessory and an actions block may hold."""
INPUTS: dict[str, Shape] = {
    **{name: shape for name, shape in ELEMENTS.items() if name not in {"button", "workflow_button", "overflow"}},
    **dict.fromkeys(("plain_text_input", "email_text_input", "url_text_input"), _INPUT),
    "number_input": Shape({"is_decimal_allowed": _anything}, _PLACEHOLDER),
    "rich_text_input": _OPEN,
    "file_input": Shape({}, _ELEMENT),
}
_CONTEXT_ELEMENT = {
    "image": _IMAGE,
    "plain_text": Shape({"text": _string(3000, 1)}),
    "mrkdwn": Shape({"text": _string(3000, 1)}),
}
_CONTEXT_ACTIONS = {
    "feedback_buttons": Shape(
        {"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, {"action_id": _string(LONGEST_ID)}
    ),
    "icon_button": Shape({"icon": _string(100), "text": _text(75, plain=True)}, {**_ELEMENT, "value": _string(2000)}),
}
_RICH = {
    name: Shape({"elements": _list(_object, 1000, 0)})
    for name in ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")
}
_TASK = Shape(
    {"task_id": _string(LONGEST_ID), "title": _string(LONGEST_ID)},
    {"status": _enum("pending", "in_progress", "complete", "error"), "details": _object, "output": _object},
)
_HOLDS = {
    "actions": "elements",
    "context_actions": "elements",
    "card": "actions",
    "section": "accessory",
    "input": "element",
}
"""Where a block has what people can act on."""
BLOCKS: dict[str, Shape] = {
    "section": Shape(
        {},
        {"text": _text(3000), "fields": _list(_text(2000), 10), "accessory": _typed({**ELEMENTS, "image": _IMAGE})},
        ("text", "fields"),
    ),
    "divider": Shape(),
    "header": Shape({"text": _text(150, plain=True)}),
    "image": Shape(
        {"alt_text": _string(2000)},
        {"image_url": _string(3000), "title": _text(2000, plain=True)},
        ("image_url", "slack_file"),
    ),
    "actions": Shape({"elements": _list(_typed(ELEMENTS), 25)}),
    "context": Shape({"elements": _list(_typed(_CONTEXT_ELEMENT), 10)}),
    "context_actions": Shape({"elements": _list(_typed(_CONTEXT_ACTIONS), 5)}),
    "input": Shape(
        {"label": _text(2000, plain=True), "element": _typed(INPUTS)},
        {"hint": _text(2000, plain=True)},
    ),
    "markdown": Shape({"text": _string(LONGEST_MARKDOWN, 1)}),
    "rich_text": Shape({"elements": _list(_typed(_RICH), 1000, 0)}),
    "table": Shape({"rows": _list(_list(_object, 20), 100)}),
    "data_table": Shape({"rows": _list(_list(_object, 20), 201), "caption": _anything}),
    "video": Shape(
        {
            "alt_text": _string(2000),
            "title": _text(200, plain=True),
            "thumbnail_url": _string(3000),
            "video_url": _string(3000),
        }
    ),
    "file": Shape({"external_id": _string(LONGEST_ID), "source": _enum("remote")}),
    "alert": Shape({"text": _text(200)}, {"level": _enum("default", "info", "warning", "error", "success")}),
    "card": Shape({}, {"actions": _list(_typed({"button": _BUTTON}), 5)}, ("body", "title", "hero_image", "actions")),
    "carousel": Shape({"elements": _list(_object, 10)}),
    "container": Shape({"child_blocks": _list(_object, 10)}, {}, ("title", "rich_text_title")),
    "task_card": _TASK,
    "plan": Shape({"title": _string(LONGEST_ID)}, {"tasks": _list(_TASK, 50, 0)}),
    "data_visualization": Shape(),
}


def problems_of(blocks: Sequence[Any], most: int, where: str = "/blocks") -> list[str]:
    """What Slack would not take of some blocks."""
    found = Found()
    if len(blocks) > most:
        found.say(f"no more than {most} items allowed", where)
    rule = _typed(BLOCKS)
    seen: set[str] = set()
    for index, block in enumerate(blocks[:most]):
        rule(found, block, f"{where}/{index}")
        _told_apart(found, block, f"{where}/{index}")
        block_id = block.get("block_id") if isinstance(block, dict) else None
        if block_id is None:
            continue
        _string(LONGEST_ID)(found, block_id, f"{where}/{index}/block_id")
        if isinstance(block_id, str):
            if block_id in seen:
                found.say("block_id already exists", f"{where}/{index}/block_id")
            seen.add(block_id)
    return found.problems


def _told_apart(found: Found, block: Any, where: str) -> None:
    """No two actions of a block have the same name."""
    seen: set[str] = set()
    for index, element in enumerate(elements_of(block) if isinstance(block, dict) else ()):
        action_id = element.get("action_id")
        if isinstance(action_id, str) and action_id in seen:
            found.say(f'`action_id` "{action_id}" already exists', f"{where}/elements/{index}/action_id")
        elif isinstance(action_id, str):
            seen.add(action_id)


def checked_blocks(blocks: list[Any], most: int) -> None:
    """Refuses blocks that Slack would refuse, and gives those that are good the ids that they lack."""
    problems = problems_of(blocks, most)
    if problems:
        raise Refusal("invalid_blocks", *(f"[ERROR] {each}" for each in problems), errors=problems)
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > LONGEST_MARKDOWN or sum(len(_words(block)) for block in blocks) > LONGEST_BLOCKS:
        raise Refusal("msg_blocks_too_long")
    name_blocks(blocks)


def name_blocks(blocks: list[dict[str, Any]]) -> None:
    """Gives blocks, and what people can act on in them, the ids that they lack."""
    for index, block in enumerate(blocks):
        if block["type"] != "markdown" and not block.get("block_id"):
            block["block_id"] = _name(block, index)
        for place, element in enumerate(elements_of(block)):
            if element.get("type") in ELEMENTS.keys() | INPUTS.keys() | _CONTEXT_ACTIONS.keys():
                element.setdefault("action_id", _name(element, place))


def elements_of(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What people can act on in a block."""
    name = _HOLDS.get(str(block.get("type")))
    held = block.get(name) if name is not None else None
    return [each for each in (held if isinstance(held, list) else [held]) if isinstance(each, dict)]


def _name(part: Mapping[str, Any], index: int) -> str:
    return blake2b(f"{index}{json.dumps(part, sort_keys=True)}".encode(), digest_size=4).hexdigest()


def _words(block: Any) -> str:
    """The texts in a block, for their length."""
    if isinstance(block, dict):
        return "".join(
            _words(value) for name, value in block.items() if name in _WORDED or isinstance(value, dict | list)
        )
    if isinstance(block, list):
        return "".join(map(_words, block))
    return block if isinstance(block, str) else ""


_WORDED = {"text", "title", "alt_text"}
