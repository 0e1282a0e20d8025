"""The eighth gate: token buckets of a tenant's connection and, where it wants them, of channels and users."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal, TypeAlias

from schemas.decision import Throttled
from services.router.decisions import keys
from services.router.decisions.facts import Facts, Limit, Memory, Tenant
from services.router.decisions.outcome import Change
from services.router.decisions.wanted import Wanted

ONE: Final = 60_000_000
"""A token, in what a bucket of one token a minute gains in a minute of microseconds: whole numbers, so that nothing is
granted for rounding."""
EMOJI: Final = Limit("connection", per_minute=20, capacity=20)
"""How many refusals are shown by an emoji. Slack lets an app add some fifty a minute."""
EMOJI_SCOPE: Final = "emoji"


ToldBy: TypeAlias = Literal["notice", "emoji", "nothing"]


@dataclass(frozen=True, slots=True)
class Granted:
    """It may start; so much is left in each bucket."""

    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """It may not, and how that is told."""

    decision: Throttled
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Bucket:
    key: str
    limit: Limit
    level: int

    @property
    def wait_s(self) -> float:
        """How long until it has a token."""
        return max(0, ONE - self.level) / self.limit.per_minute / 1e6

    def after_one(self, now: float) -> Change:
        """One token less. It may be forgotten when it would be full again, even if the limit were lower then."""
        level = self.level - ONE
        full_in_s = (self.limit.capacity * ONE - level) / self.limit.per_minute / 1e6
        return Change(
            self.key, [level, _microseconds(now), self.limit.per_minute], now + max(full_in_s, keys.BUCKET_IS_KEPT_S)
        )


def gate(wanted: Wanted, whose: str, tenant: Tenant, facts: Facts, now: float) -> Granted | Refused:
    """A token of every bucket, or of none. `whose` they are, `keys.of` says."""
    buckets = [
        _filled(keys.bucket(whose, limit.scope, one), limit, facts.memory, now)
        for limit, one in _concerned(wanted, tenant)
    ]
    short = [bucket for bucket in buckets if bucket.level < ONE]
    if not short:
        return Granted(tuple(bucket.after_one(now) for bucket in buckets))
    worst = max(short, key=lambda bucket: bucket.wait_s)
    told_by, changes = _telling(wanted, whose, facts, now)
    return Refused(
        Throttled(bucket=worst.limit.scope, retry_after_s=ceil(worst.wait_s * 1000) / 1000, told_by=told_by), changes
    )


def _concerned(wanted: Wanted, tenant: Tenant) -> Iterator[tuple[Limit, str]]:
    for limit in tenant.limits:
        match limit.scope:
            case "connection":
                yield limit, ""
            case "channel":
                if wanted.channel is not None:
                    yield limit, wanted.channel
            case "user":
                yield limit, wanted.sender


def _filled(key: str, limit: Limit, memory: Memory, now: float) -> _Bucket:
    """As full as it is by now. Where the limit was changed meanwhile, the lower of the two counts."""
    full = limit.capacity * ONE
    left = memory.get(key, now)
    if left is None:
        return _Bucket(key, limit, full)
    level, at, per_minute = left.value
    gained = max(0, _microseconds(now) - at) * min(per_minute, limit.per_minute)
    return _Bucket(key, limit, min(full, level + gained))


def _telling(wanted: Wanted, whose: str, facts: Facts, now: float) -> tuple[ToldBy, tuple[Change, ...]]:
    """A notice once a minute for each person; then an emoji, while there is room for emoji; then nothing."""
    refused = keys.refused(whose, wanted.cause)
    if not wanted.asks or wanted.channel is None or facts.memory.get(refused, now) is not None:
        return "nothing", ()
    told, once = keys.told(whose, wanted.sender), Change(refused, None, now + keys.NOTICE_RESTS_S)
    if facts.memory.get(told, now) is None:
        return "notice", (once, Change(told, None, now + keys.NOTICE_RESTS_S))
    if wanted.message_ts is None:
        return "nothing", ()
    room = _filled(keys.bucket(whose, EMOJI_SCOPE), EMOJI, facts.memory, now)
    return ("emoji", (once, room.after_one(now))) if room.level >= ONE else ("nothing", ())


def _microseconds(now: float) -> int:
    return round(now * 1e6)
