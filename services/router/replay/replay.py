"""Takes the decisions of a stretch of the log again, and sends nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.kit.groups import KafkaSettings
from services.router.decisions import keys
from services.router.replay.directories import Directories
from services.router.replay.log import Logged, log_of
from services.router.replay.redeciding import Redecided, Redecider
from services.router.replay.replayed import Replayed

REMEMBERED: Final = timedelta(seconds=max(keys.CAUSE_IS_KNOWN_S, keys.BUCKET_IS_KEPT_S, keys.LONGEST_REST_S))
"""How far back a decision may rest on earlier ones."""


@dataclass(frozen=True)
class Stretch:
    """From when to when, as the broker appended it."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Under:
    """Which directories: the one that each decision names, and the one that is tried."""

    recorded: Directories
    tried: Directories | None
    """None where each is to be decided under its own again."""
    named: str


Seen = Callable[[Logged, Redecided], None]
Progress = Callable[[int, int], None]
"""Hears how many records are done, and how many there are: those before the stretch, which it rests on, among them."""


async def replay(
    settings: KafkaSettings,
    stretch: Stretch,
    under: Under,
    seen: Seen = lambda *_: None,
    progress: Progress = lambda *_: None,
) -> Replayed:
    """Each partition in its order. `seen` is told of each record of the stretch."""
    found = Replayed(stretch.since, stretch.until, under.named)
    async with log_of(settings, stretch.since - REMEMBERED, stretch.until) as log:
        found.is_cut = log.is_cut
        done, whole = 0, sum(map(len, log.offsets.values()))
        progress(done, whole)
        for partition in log.offsets:
            redecider = Redecider()
            async for batch in log.batches(partition):
                for each in batch:
                    await _take(each, redecider, stretch, under, found, seen)
                done += len(batch)
                progress(done, whole)
    return found


async def _take(  # noqa: PLR0913, PLR0917 - one record, and everything that it is held against
    each: Logged, redecider: Redecider, stretch: Stretch, under: Under, found: Replayed, seen: Seen
) -> None:
    recorded = each.recorded
    if recorded is not None and await under.recorded.have_forgotten(recorded):
        found.forgotten += each.source.appended_s >= stretch.since.timestamp()
        return
    own = await under.recorded.at(recorded.directory_revision if recorded is not None else None)
    if each.source.appended_s < stretch.since.timestamp():
        if recorded is not None:
            found.warmed_up += 1
            found.warmed_up_otherwise += not redecider.follow(each.source, own.owner, recorded.decision)
        return
    tried = own if under.tried is None else await under.tried.at(None)
    again = redecider.decide(each.source, tried.owner)
    found.take(each.source, recorded, again)
    seen(each, again)
