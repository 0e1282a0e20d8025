"""A page of a service on this machine, such as `/health`."""

from dataclasses import dataclass

import aiohttp

OK = 200
ASKED_S = 2.0


@dataclass(frozen=True)
class Page:
    """One address, asked anew each time."""

    url: str

    async def is_there(self) -> bool:
        """Whether it answers that all is well."""
        timeout = aiohttp.ClientTimeout(total=ASKED_S)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(self.url) as answer:
                return answer.status == OK
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
