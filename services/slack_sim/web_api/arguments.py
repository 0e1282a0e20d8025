"""A call's arguments, in each of the three styles that clients use: JSON, a form with JSON in it, a query string."""

import json
import re
from collections.abc import Mapping
from typing import Any, TypeGuard
from urllib.parse import parse_qsl

from aiohttp import web

from services.slack_sim.refusal import Refusal
from services.slack_sim.wire import parsed_json

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
PLAIN = "text/plain"
_STAMP = re.compile(r"\d{1,12}\.\d{6}")
TRUE, FALSE = {"1", "true"}, {"0", "false", ""}


async def arguments_of(request: web.Request) -> dict[str, Any]:
    """Everything that a request says: its query, then its body."""
    given: dict[str, Any] = dict(request.query)
    if request.method == "GET" or not request.can_read_body:
        return given
    kind = request.content_type
    if kind == JSON:
        return given | _from_json(await request.read())
    if kind == MULTIPART:
        try:
            fields = await request.post()
        except ValueError as error:
            raise Refusal("invalid_form_data") from error
        return given | {name: value for name, value in fields.items() if isinstance(value, str)}
    body = await request.read()
    if kind == FORM:
        return given | _from_form(body)
    if not body or kind == PLAIN:
        return given
    raise Refusal("invalid_post_type" if "Content-Type" in request.headers else "missing_post_type")


def is_stamp(text: object) -> TypeGuard[str]:
    """Whether it looks like a message's ts."""
    return isinstance(text, str) and _STAMP.fullmatch(text) is not None


def _from_json(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        parsed = parsed_json(body)
    except ValueError as error:
        raise Refusal("invalid_json") from error
    if not isinstance(parsed, dict):
        raise Refusal("json_not_object")
    return parsed


def _from_form(body: bytes) -> dict[str, Any]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError as error:
        raise Refusal("invalid_form_data") from error


class Arguments:
    """Arguments by name, each read as what it should be."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given

    def as_given(self) -> dict[str, Any]:
        """All of them, but for the token."""
        return {name: value for name, value in self._given.items() if name != "token"}

    def __contains__(self, name: str) -> bool:
        return self._given.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        """A text; numbers and truth values are taken as such."""
        value = self._given.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            return value
        if isinstance(value, (bool, int, float)):
            return json.dumps(value)
        raise _wrong(name, "string")

    def needed(self, name: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if not value:
            raise Refusal("invalid_arguments", f"[ERROR] missing required field: {name}")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Yes or no, however it is said."""
        value = self._given.get(name)
        if value is None:
            return default
        said = str(value).lower()
        if said in TRUE:
            return True
        if said in FALSE:
            return False
        raise _wrong(name, "boolean")

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        value = self._given.get(name)
        if value is None or value == "":
            return default
        try:
            return int(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise _wrong(name, "integer") from error

    def items(self, name: str, error: str | None = None) -> list[Any] | None:
        """A list, itself or as JSON. None where there is none."""
        value = self._structure(name, error)
        if value is None or isinstance(value, list):
            return value
        raise Refusal(error) if error else _wrong(name, "array")

    def object(self, name: str, error: str | None = None) -> dict[str, Any] | None:
        """An object, itself or as JSON. None where there is none."""
        value = self._structure(name, error)
        if value is None or isinstance(value, dict):
            return value
        raise Refusal(error) if error else _wrong(name, "object")

    def names(self, name: str) -> list[str]:
        """Ids, in a list or with commas between."""
        value = self._given.get(name)
        if isinstance(value, list):
            return [each for each in value if isinstance(each, str)]
        return [each.strip() for each in self.text(name).split(",") if each.strip()]

    def _structure(self, name: str, error: str | None) -> Any:
        value = self._given.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return parsed_json(value)
        except ValueError as problem:
            raise Refusal(error) if error else _wrong(name, "JSON") from problem


def _wrong(name: str, kind: str) -> Refusal:
    return Refusal("invalid_arguments", f"[ERROR] must be a valid {kind} [json-pointer:/{name}]")
