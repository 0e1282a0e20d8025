"""An envelope, what was decided of it, and where that belongs: what everything that is told is made of."""

from dataclasses import dataclass
from datetime import datetime

from schemas import ids
from schemas.base import Event as Fact
from schemas.command import Notice, NoticeKind, Place
from schemas.run import Origin
from schemas.topics import RUNS_COMMANDS, Topic
from services.router.decisions.event import Event
from services.router.decisions.inbound import Asked, Revoked
from services.router.decisions.messages import GATEWAY
from services.router.decisions.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Telling:
    """A fact, and under which key it is written where."""

    topic: Topic
    key: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class Occasion:
    """One decision of a tenant's."""

    event: Event
    verdict: Verdict
    place: Place

    @property
    def at(self) -> datetime:
        """When it was decided."""
        return self.verdict.at

    @property
    def cause(self) -> str:
        """What was done."""
        return self.event.cause.name

    @property
    def sender(self) -> str:
        """Who did it."""
        return self.event.inbound.origin.sender or "unknown"

    @property
    def revision(self) -> int:
        """The directory's."""
        return self.verdict.directory_revision or 0

    @property
    def origin(self) -> Origin:
        """Where it came from, as reports count it."""
        if isinstance(self.event.inbound, Asked | Revoked):
            return "gateway"
        return "dm" if (self.place.channel_id or "").startswith("D") else "channel"

    @property
    def _owner(self) -> str:
        """The team in a thread's name: for an organisation-wide app the organisation, whose teams share threads."""
        return self.place.connection.partition(":")[2]

    def session(self) -> str | None:
        """The thread, as reports count it."""
        place = self.place
        return ids.thread_key(self._owner, place.channel_id, place.thread_ts) if place.channel_id else None

    def key(self, run_id: str | None = None) -> str:
        """The thread's partition. A run of a program that named no channel is a thread of its own."""
        return self.session() or ids.thread_key(self._owner, GATEWAY, run_id)

    def notice(self, kind: NoticeKind, text: str, retry_after_s: float | None = None) -> Telling:
        """Something that the sender alone is told."""
        notice = Notice(
            at=self.at,
            notice_id=ids.run_id(self.event.connection, f"notice:{self.event.event_id}"),
            cause=self.cause,
            place=self.place,
            user_id=self.sender,
            notice=kind,
            text=text,
            retry_after_s=retry_after_s,
        )
        return Telling(RUNS_COMMANDS, self.key(), notice)
