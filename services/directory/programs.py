"""How programs are received, whichever service they call: signed in, read, and told in JSON why not."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeAlias

from aiohttp import web
from aiohttp.http import HttpProcessingError
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from services.directory.faults import DatabaseAway
from services.directory.holding import Known
from services.directory.lookup import Directory
from services.directory.sign_in import Action, Granted, sign_in
from services.kit.clock import Clock

LONGEST_TEXT = 40_000
LONGEST_KEY = 200
RETRY_AFTER_S = "5"
_BEARER = re.compile(r"Bearer +(\S+)", re.IGNORECASE)

Line: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_KEY, pattern=r"^[\x20-\x7e]+$")]
"""A name of the program's own."""
Text: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT)]
Stamp: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}\.[0-9]{1,9}$")]
"""Slack's name for a message."""

Answer: TypeAlias = Callable[[web.Request, Granted], Awaitable[web.Response]]
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]


class Asked(BaseModel):
    """What every body may say."""

    model_config = ConfigDict(extra="forbid", strict=True)

    key: Line | None = None
    """The program's own name for the request; a repeat with the same is the same request."""
    workspace: Line | None = None
    app: Line | None = None


class No(Exception):
    """What a program is told instead."""

    def __init__(self, status: int, error: str, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status, self.error, self.message = status, error, message
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> dict[str, str]:
        """What a program's HTTP client understands of it."""
        again = RETRY_AFTER_S if self.status == web.HTTPServiceUnavailable.status_code else None
        again = again if self.retry_after_s is None else str(self.retry_after_s)
        found = {} if again is None else {"Retry-After": again}
        return found | ({"WWW-Authenticate": "Bearer"} if self.status == web.HTTPUnauthorized.status_code else {})


class Programs:
    """Those whose token is good for one action."""

    def __init__(self, directory: Directory, clock: Clock, action: Action) -> None:
        self._directory, self._clock, self._action = directory, clock, action
        self.refused: Callable[[No], None] = lambda _: None
        """Hears of every no."""

    def told(self, answer: Answer) -> Handler:
        """An answer of ours, or why there is none."""

        async def handler(request: web.Request) -> web.Response:
            try:
                return await answer(request, await self._signed_in(request))
            except No as no:
                self.refused(no)
                return json_answer(no.status, {"error": no.error, "message": no.message}, no.headers)

        return handler

    async def _signed_in(self, request: web.Request) -> Granted:
        bearer = _BEARER.fullmatch(request.headers.get("Authorization", ""))
        if bearer is None:
            raise No(401, "not_signed_in", "send the header Authorization: Bearer tl_…")
        try:
            granted = await sign_in(self._directory, bearer.group(1), self._action, self._clock.now())
        except DatabaseAway as fault:
            raise No(503, "try_again", str(fault)) from None
        if isinstance(granted, Granted):
            return granted
        if granted.reason == "not_for_this":
            mend = f"`threadline token create --for {self._action}`"
            raise No(403, "not_for_this", f"the token is good, and not for {self._action}; {mend}")
        raise No(401, "not_signed_in", "the token is not good, or not any more")


def connection_of(tenant: Known, asked: Asked) -> str:
    """The installation that a request is for: the one that is named, or the only one."""
    open_ones = [each for each in tenant.facts.installations if each.closed_at is None]
    named = [each for each in open_ones if asked.workspace in {None, each.workspace} and asked.app in {None, each.app}]
    if len(named) == 1:
        return f"{named[0].app}:{named[0].workspace}"
    if not named:
        raise No(422, "no_connection", f"{tenant.tenant_id} has no app installed there; describe it in directory.yaml")
    there = ", ".join(f"{each.app} in {each.workspace}" for each in named)
    raise No(422, "which_connection", f"say which one with `workspace` and `app`: {there}")


async def body_of(request: web.Request, kind: Any) -> Any:
    """What a request says."""
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise No(413, "too_large", "the body is too large; nothing was taken in") from None
    except (web.RequestPayloadError, HttpProcessingError):
        raise No(400, "wrong_body", "the body is not what its headers say; nothing was taken in") from None
    try:
        return kind.model_validate_json(raw or b"{}")
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        words = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'the body'}: {each['msg']}" for each in problems)
        raise No(400, "wrong_body", f"{words}; nothing was taken in") from None


def key_of(request: web.Request, asked: Asked) -> str | None:
    """The program's own name for the request, in the body or in a header."""
    given = request.headers.get("Idempotency-Key")
    if given is not None and (not given.isascii() or not given.isprintable() or not 0 < len(given) <= LONGEST_KEY):
        raise No(400, "wrong_key", "Idempotency-Key has 1 to 200 printable characters of ASCII")
    if given is not None and asked.key is not None and given != asked.key:
        raise No(400, "wrong_key", "Idempotency-Key and `key` differ; give one")
    return given or asked.key


def json_answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> web.Response:
    """For a program."""
    return web.Response(text=json.dumps(body), status=status, content_type="application/json", headers=headers)
