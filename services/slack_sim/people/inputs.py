"""What people put into the parts of blocks, as the apps are told of it."""

from typing import Any

from services.slack_sim.refusal import Refusal
from services.slack_sim.web_api.blocks import elements_of

Json = dict[str, Any]

STATELESS = {"button", "overflow", "workflow_button", "icon_button", "feedback_buttons", "image"}
_ONE = {
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "rich_text_input": "rich_text_value",
}
_MANY = {
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}
_OPTION = {"static_select", "external_select", "overflow", "radio_buttons"}
_OPTIONS = {"multi_static_select", "multi_external_select", "checkboxes"}


def find(blocks: list[Json], action_id: str, block_id: str | None = None) -> tuple[Json, Json]:
    """The block and the part of it that somebody acts on."""
    for block in blocks:
        if block_id not in {None, block.get("block_id")}:
            continue
        for element in elements_of(block):
            if element.get("action_id") == action_id:
                return block, element
    raise Refusal("action_not_found")


def state_of(element: Json, value: Any) -> Json:
    """How an element's state is told, after somebody gave it a value."""
    kind = element["type"]
    if kind in _ONE:
        return {"type": kind, _ONE[kind]: value}
    if kind in _MANY:
        return {"type": kind, _MANY[kind]: _listed(value)}
    if kind in _OPTION:
        return {"type": kind, "selected_option": _option(element, value) if value else None}
    if kind in _OPTIONS:
        return {"type": kind, "selected_options": [_option(element, each) for each in _listed(value)]}
    if kind == "datetimepicker":
        return {"type": kind, "selected_date_time": _seconds(value)}
    return {"type": kind, "value": value}


def action_of(block: Json, element: Json, value: Any, action_ts: str) -> Json:
    """How acting on an element is told."""
    kind = element["type"]
    told: Json = {"action_id": element["action_id"], "block_id": block.get("block_id", ""), "action_ts": action_ts}
    if kind in {"button", "icon_button", "workflow_button"}:
        told |= {"type": kind, "text": element.get("text")}
        told |= {name: element[name] for name in ("value", "style", "url") if name in element}
        return told
    if kind == "feedback_buttons":
        sides = [element["positive_button"], element["negative_button"]]
        pressed = next((side for side in sides if side["value"] == value), sides[0])
        return told | {"type": kind, "text": pressed["text"], "value": pressed["value"]}
    return told | state_of(element, value)


def is_stateful(element: Json) -> bool:
    """Whether something stays chosen in it."""
    return element["type"] not in STATELESS


def initial_values(blocks: list[Json]) -> dict[str, dict[str, Json]]:
    """What stands in selects and inputs before anybody touched them."""
    values: dict[str, dict[str, Json]] = {}
    for block in blocks:
        for element in elements_of(block):
            if is_stateful(element):
                state = state_of(element, _initial(element))
                values.setdefault(block["block_id"], {})[element["action_id"]] = state
    return values


def present(blocks: list[Json], chosen: dict[str, dict[str, Json]]) -> dict[str, dict[str, Json]]:
    """What stands in the selects and inputs that are there: what was chosen in them, or what they began with."""
    values = initial_values(blocks)
    for block_id, states in values.items():
        for action_id, state in states.items():
            later = chosen.get(block_id, {}).get(action_id, state)
            if later["type"] == state["type"]:
                states[action_id] = later
    return values


def missing(blocks: list[Json], values: dict[str, dict[str, Json]]) -> list[str]:
    """The blocks whose inputs must be filled in and are not."""
    return [
        block["block_id"]
        for block in blocks
        if block.get("type") == "input" and not block.get("optional") and not _filled(values.get(block["block_id"], {}))
    ]


def _filled(states: dict[str, Json]) -> bool:
    return any(value for state in states.values() for name, value in state.items() if name != "type")


def _seconds(value: Any) -> int | None:
    try:
        return int(value) if value else None
    except (TypeError, ValueError) as error:
        raise Refusal("invalid_value") from error


def _initial(element: Json) -> Any:
    for name, value in element.items():
        if not name.startswith("initial_"):
            continue
        if isinstance(value, dict):
            return value.get("value")
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return [each.get("value") for each in value]
        return value
    return [] if element["type"] in _OPTIONS or element["type"] in _MANY else None


def _option(element: Json, value: str) -> Json:
    groups = element.get("option_groups") or []
    options = list(element.get("options") or []) + [each for group in groups for each in group["options"]]
    found = next((each for each in options if each["value"] == value), None)
    if found is not None:
        return {"text": found["text"], "value": found["value"]}
    if element["type"] in {"external_select", "multi_external_select"}:
        return {"text": {"type": "plain_text", "text": value}, "value": value}
    raise Refusal("option_not_found")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []
