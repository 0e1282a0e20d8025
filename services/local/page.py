"""A page of a service on this machine, such as `/health`."""

import json
from dataclasses import dataclass

import aiohttp

OK = 200
ASKED_S = 2.0


@dataclass(frozen=True)
class Answer:
    """What a page answered."""

    status: int
    text: str

    @property
    def is_ok(self) -> bool:
        """Whether all is well."""
        return self.status == OK

    def reasons(self) -> str:
        """Why not, as `/health` says it."""
        try:
            return "; ".join(f"{name}: {why}" for name, why in json.loads(self.text)["reasons"].items())
        except (ValueError, KeyError, TypeError, AttributeError):
            return f"it answers {self.status}"


async def asked(session: aiohttp.ClientSession, url: str) -> Answer | None:
    """What a page answers; nothing where it does not."""
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=ASKED_S)) as answer:
            return Answer(answer.status, await answer.text())
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None


@dataclass(frozen=True)
class Page:
    """One address, asked anew each time."""

    url: str

    async def is_there(self) -> bool:
        """Whether it answers that all is well."""
        async with aiohttp.ClientSession() as session:
            answer = await asked(session, self.url)
        return answer is not None and answer.is_ok
