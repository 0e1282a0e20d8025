"""A view's rules."""

import json
from typing import Any

from services.slack_sim.refusal import Refusal
from services.slack_sim.web_api.blocks import VIEW, name_blocks, problems_of

LARGEST = 250_000
SHORT = {"title": 24, "submit": 24, "close": 24}
LONG = {"private_metadata": 3000, "callback_id": 255, "external_id": 255}


def checked_view(view: dict[str, Any] | None, kinds: set[str]) -> dict[str, Any]:
    """A view that Slack would take."""
    if view is None:
        raise Refusal("invalid_arguments", "[ERROR] missing required field: view")
    if len(json.dumps(view)) > LARGEST:
        raise Refusal("view_too_large")
    problems = list(_problems(view, kinds))
    if problems:
        raise Refusal("invalid_arguments", *(f"[ERROR] {each}" for each in problems))
    name_blocks(view["blocks"])
    return view


def _problems(view: dict[str, Any], kinds: set[str]) -> list[str]:
    kind, blocks = view.get("type"), view.get("blocks")
    if kind not in kinds:
        return ["must be a valid enum value [json-pointer:/view/type]"]
    problems = (
        ["missing required field: title [json-pointer:/view]"] if kind == "modal" and not view.get("title") else []
    )
    problems += _problems_of_titles(view) if kind == "modal" else []
    for name, longest in LONG.items():
        value = view.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > longest):
            problems.append(f"must be less than {longest + 1} characters [json-pointer:/view/{name}]")
    if not isinstance(blocks, list):
        return [*problems, "missing required field: blocks [json-pointer:/view]"]
    problems += problems_of(blocks, VIEW, "/view/blocks")
    has_input = any(isinstance(each, dict) and each.get("type") == "input" for each in blocks)
    if kind == "modal" and has_input and not view.get("submit"):
        problems.append("missing required field: submit [json-pointer:/view]")
    return problems


def _problems_of_titles(view: dict[str, Any]) -> list[str]:
    problems = []
    for name, longest in SHORT.items():
        given = view.get(name)
        if given is None:
            continue
        text = given.get("text") if isinstance(given, dict) and given.get("type") == "plain_text" else None
        if not isinstance(text, str):
            problems.append(f"must provide a plain_text object [json-pointer:/view/{name}]")
        elif not 0 < len(text) <= longest:
            problems.append(f"must be less than {longest + 1} characters [json-pointer:/view/{name}/text]")
    return problems
