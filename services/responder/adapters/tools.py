"""Uses the tenant's tools: each request meant first, made once, and what came of it written down."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from pydantic import SecretStr

from services.directory.document import Tool
from services.kit.clock import Clock
from services.kit.secrets.signing import key_of, signed
from services.responder.adapters.ledger import Ledger
from services.responder.decisions.effects import Call, Subject
from services.responder.decisions.standing import Standing
from services.responder.decisions.tools import LARGEST_ANSWER, as_text, cut

log = logging.getLogger(__name__)

TRIES: Final = 3
PAUSE_S: Final = 0.5
OK, REFUSED, BUSY, THEIR_FAULT = 300, 400, 429, 500
NOBODY_KNOWS: Final = (
    "Nobody knows whether it was done: the tool did not answer. It is not asked again by itself. Say so, and do not "
    "claim that it was done."
)


@dataclass(frozen=True)
class Use:
    """One use of a tool, and what the tool is told of it."""

    effect_id: str
    tool: Tool
    arguments: dict[str, Any]
    run_id: str
    agent_id: str
    asked_by: str
    approved_by: str | None

    def body(self, tenant_id: str) -> dict[str, Any]:
        """What is sent."""
        told = {name: getattr(self, name) for name in ("run_id", "asked_by", "approved_by")}
        return {
            "tool": self.tool.name,
            "arguments": self.arguments,
            "tenant": tenant_id,
            "agent": self.agent_id,
            **told,
        }


@asynccontextmanager
async def tools_session() -> AsyncIterator[aiohttp.ClientSession]:
    """What all requests to tools share. Nothing is kept between them: no cookie of one tenant's reaches another."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


class NotMade(Exception):
    """The request never arrived: nothing was done."""


class Unsure(Exception):
    """No answer, or none that says anything: it may have been done."""


class Tools:
    """Every tenant's."""

    def __init__(
        self, ledger: Ledger, session: aiohttp.ClientSession, operators_key: SecretStr | None, clock: Clock
    ) -> None:
        self._ledger, self._session, self._key, self._clock = ledger, session, operators_key, clock

    async def use(self, use: Use, subject: Subject, standing: Standing) -> str:
        """Gives what the model is told of it. What was done already is not done again."""
        tool, effect_id = use.tool, use.effect_id
        if (answer := standing.answers.get(effect_id)) is not None:
            return answer
        if effect_id in standing.refused:
            return _not_done(standing.refused[effect_id])
        if effect_id in standing.unknown:
            return NOBODY_KNOWS
        made = Call(effect_id, "tool", "tool", use.body(subject.tenant_id), may_repeat=tool.repeatable)
        if effect_id in standing.meant and not tool.repeatable:
            await self._ledger.nobody_knows(subject, made, "its responder ended")
            return NOBODY_KNOWS
        await self._ledger.intend(subject, [made])
        return await self._made(tool, subject, made, was_meant=effect_id in standing.meant)

    async def _made(self, tool: Tool, subject: Subject, made: Call, *, was_meant: bool) -> str:
        """Once one request may have been done, no later one can tell that none was."""
        tried, unsure = 0, was_meant
        while True:
            tried += 1
            try:
                status, said = await self._ask(tool, subject, made)
            except NotMade as error:
                if tried < TRIES:
                    await asyncio.sleep(PAUSE_S * tried)
                    continue
                log.warning("the tool %s of %s is not reached (%s)", tool.name, subject.tenant_id, error)
                return await self._refused(subject, made, "not_reached", unsure=unsure)
            except Unsure as error:
                log.warning("nobody knows whether the tool %s of %s did it (%s)", tool.name, subject.tenant_id, error)
                unsure = True
                if tool.repeatable and tried < TRIES:
                    await asyncio.sleep(PAUSE_S * tried)
                    continue
                await self._ledger.nobody_knows(subject, made, str(error))
                return NOBODY_KNOWS
            if status < OK:
                answer = cut(said) or "Done."
                await self._ledger.answered(subject, made, answer)
                return answer
            told = await self._refused(subject, made, f"http_{status}", unsure=unsure)
            return f"{told} It said: {cut(said)}" if said.strip() else told

    async def _refused(self, subject: Subject, made: Call, code: str, *, unsure: bool) -> str:
        if unsure:
            await self._ledger.nobody_knows(subject, made, code)
            return NOBODY_KNOWS
        await self._ledger.not_done(subject, made, code)
        return _not_done(code)

    async def _ask(self, tool: Tool, subject: Subject, made: Call) -> tuple[int, str]:
        body = json.dumps(made.arguments, ensure_ascii=False, allow_nan=False).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": made.effect_id}
        if self._key is not None:
            headers |= signed(key_of(self._key, subject.tenant_id), body, self._clock.now())
        timeout = aiohttp.ClientTimeout(total=tool.within_s, sock_connect=min(5, tool.within_s))
        await self._ledger.may_act(subject)
        try:
            async with self._session.post(
                tool.url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                said = await _read(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise NotMade(type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unsure(type(error).__name__) from None
        if response.status >= THEIR_FAULT:
            raise Unsure(f"HTTP {response.status}")
        if response.status == BUSY:
            raise NotMade(f"HTTP {response.status}")
        return response.status, said


async def _read(response: aiohttp.ClientResponse) -> str:
    """As much of it as is read."""
    found = b""
    async for piece in response.content.iter_chunked(16 << 10):
        found += piece
        if len(found) >= LARGEST_ANSWER:
            break
    return as_text(found)


def _not_done(code: str) -> str:
    if code == "not_reached":
        return "Nothing was done: the tool cannot be reached at the moment."
    return f"Nothing was done: the tool refused ({code.replace('http_', 'HTTP ')})."
