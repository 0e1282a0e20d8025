"""A client of the control API, for tests and for whoever drives the simulator from Python."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession

from services.kit.fault import Fault
from services.slack_sim.control import answers, asks
from services.slack_sim.control.asks import Answer, Asks
from services.slack_sim.control.conditions import Condition


class Refused(Fault):
    """The simulator did not do it."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


class NotInTime(Fault):
    """What was waited for did not come."""


class SlackSim:
    """A simulator that runs somewhere."""

    def __init__(self, address: str, session: ClientSession) -> None:
        self.address = address.rstrip("/")
        self.api_url = f"{self.address}/api/"
        """What SLACK_API_URL is to be."""
        self._session = session

    async def ask(self, asked: Asks[Answer]) -> Answer:
        """Does one of the operations of `control.asks`."""
        body = asked.model_dump_json()
        async with self._session.post(f"{self.address}/_sim/{asked.operation()}", data=body) as answer:
            text = await answer.text()
            if not answer.ok:
                said: dict[str, Any] = await answer.json() if answer.content_type == "application/json" else {}
                raise Refused(said.get("error", str(answer.status)), said.get("message", text[:200]))
        return asked.gives().model_validate_json(text)

    async def world(self) -> answers.WorldShown:
        """Everything that there is."""
        return await self.ask(asks.ReadWorld())

    async def say(self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None) -> str:
        """Somebody says something. Gives its ts."""
        asked = asks.Say(user_id=user_id, channel_id=channel_id, text=text, thread_ts=thread_ts)
        return (await self.ask(asked)).ts

    async def wait(self, until: Condition, timeout_s: float = 10.0) -> dict[str, Any]:
        """Waits until something is the case. Gives what was found."""
        waited = await self.ask(asks.Wait(until=until, timeout_s=timeout_s))
        if waited.found is None:
            counts = await self.ask(asks.ReadCounts())
            raise NotInTime(f"{until!r} did not come within {timeout_s} s; there were {counts!r}")
        return waited.found

    async def transcript(
        self, channel_id: str, thread_ts: str | None = None, viewer: str | None = None
    ) -> answers.Transcript:
        """What was said in a channel, or in a thread of it."""
        return await self.ask(asks.ReadTranscript(channel_id=channel_id, thread_ts=thread_ts, viewer=viewer))

    async def calls(self, method: str | None = None) -> list[answers.CallShown]:
        """The last calls of the Web API."""
        return (await self.ask(asks.ReadCalls(method=method))).calls

    async def envelopes(self, name: str | None = None) -> list[answers.EnvelopeShown]:
        """The last deliveries."""
        return (await self.ask(asks.ReadEnvelopes(name=name))).envelopes


@asynccontextmanager
async def slack_sim_at(address: str) -> AsyncIterator[SlackSim]:
    """A client, as long as it is needed."""
    async with ClientSession() as session:
        yield SlackSim(address, session)
