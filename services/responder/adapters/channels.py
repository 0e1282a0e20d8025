"""Finds the id of a channel that is called by its name: Slack changes messages, and looks them up, only by the id."""

import asyncio
import logging
from typing import Any, Final

from schemas.slack import is_channel_name
from services.kit.clock import Clock
from services.responder.adapters.ledger import GAVE_UP, Ledger
from services.responder.adapters.slack import NotSent, NoWay, Refused, TooFast, Unsure
from services.responder.adapters.turns import Turns
from services.responder.decisions.effects import Subject

log = logging.getLogger(__name__)

AGAIN_AFTER_S: Final = 60.0
"""What Slack does not know, or does not tell, it is asked for again so much later."""
PAGE: Final = 999
"""Slack wants fewer than a thousand."""
PAUSE_S: Final = 1.0
KINDS: Final = ("public_channel,private_channel", "public_channel")
"""What the app may see; only the second where it has no scope for the first."""
NOT_FOUND, NOT_IN = "channel_not_found", "not_in_channel"
MENDS: Final = "make it and invite the app, or name the channel by its id"
STALE: Final = frozenset({NOT_FOUND, "is_archived"})
"""What Slack says where an id is not, or no longer, that of the channel with the name."""

Named = tuple[str, str]
"""A connection, and a name with # before it."""


class NotThere(Exception):
    """A message cannot be said there, and why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Channels:
    """Ids by name. Each is asked for once while the process lives."""

    def __init__(self, ledger: Ledger, clock: Clock, give_up_s: float) -> None:
        self._ledger, self._clock, self._give_up_s = ledger, clock, give_up_s
        self._unknown: dict[Named, float] = {}
        """Names that nothing is called by, until they are asked for again."""
        self._untold: dict[str, float] = {}
        """Connections whose channels Slack does not tell, likewise."""
        self._turns = Turns()

    async def id_of(self, subject: Subject) -> str | None:
        """The id of the channel that the subject names, or none where it must be posted to by its name."""
        named = (subject.connection, subject.channel_id)
        if (known := self.known(*named)) is not None:
            return known
        async with self._turns.turn(subject.connection):
            now = self._clock.monotonic()
            if (known := self.known(*named)) is not None or now < self._untold.get(subject.connection, now):
                return known
            if now < self._unknown.get(named, now):
                raise NotThere(NOT_FOUND)
            try:
                found = await self._look(subject)
            except (Refused, NoWay) as error:
                self._untold[subject.connection] = now + AGAIN_AFTER_S
                log.warning(
                    "Slack does not tell which channels there are (%s): %s is posted to by its name. The scopes "
                    "channels:read and groups:read mend it",
                    *(error, subject.channel_id),
                )
                return None
            if found is None:
                self._unknown[named] = now + AGAIN_AFTER_S
                log.error(
                    "%s sees no channel %s: %s. What is to be said there fails with %s; it is looked for again in %d s",
                    *(subject.connection, subject.channel_id, MENDS, NOT_FOUND, AGAIN_AFTER_S),
                )
                raise NotThere(NOT_FOUND)
            self._ledger.channels[named] = found
            return found

    def known(self, connection: str, name: str) -> str | None:
        """The id, where Slack told it before."""
        return self._ledger.channels.get((connection, name))

    def refused(self, connection: str, name: str, code: str) -> None:
        """Slack does not take what is said there: where the id may be another by now, it is asked for anew."""
        if is_channel_name(name) and code in STALE | {NOT_IN}:
            log.error("nothing can be said in %s of %s, since Slack says %s: %s", name, connection, code, MENDS)
        if code in STALE:
            self._ledger.channels.pop((connection, name), None)

    async def _look(self, subject: Subject) -> str | None:
        for kinds in KINDS:
            try:
                return await self._listed(subject, kinds)
            except Refused as refused:
                if refused.code != "missing_scope" or kinds == KINDS[-1]:
                    raise
        return None

    async def _listed(self, subject: Subject, kinds: str) -> str | None:
        asked: dict[str, Any] = {"types": kinds, "exclude_archived": "true", "limit": PAGE}
        began, name = self._clock.monotonic(), subject.channel_id.removeprefix("#")
        while True:
            try:
                data = await self._ledger.read(subject, "conversations.list", asked)
            except (TooFast, NotSent, Unsure) as error:
                if self._clock.monotonic() - began > self._give_up_s:
                    raise NotThere(GAVE_UP) from error
                await asyncio.sleep(PAUSE_S)
                continue
            for each in data.get("channels") or ():
                if isinstance(each.get("id"), str) and each.get("name") == name:
                    found: str = each["id"]
                    return found
            cursor = (data.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
            asked["cursor"] = cursor
