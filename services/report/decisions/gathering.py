"""Keeps of a log what a report needs: events come by the batch, in any order, and leave a few columns each."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import polars as pl

from services.report.decisions.columns import EVENT, PHASES
from services.report.decisions.distinct import once
from services.report.decisions.heap import Heap, Room

_WORDS = frozenset(
    {
        *("tenant_id", "channel", "origin", "state", "trigger", "agent_id", "reason", "model", "source", "verdict"),
        *("rule_name", "kind", "bucket", "told_by", "type"),
    }
)
"""Said so often that each word is kept once."""

STATES = (
    *("run", "state", "at", "tenant_id", "session", "channel", "origin", "trigger", "agent_id", "reason"),
    *("stop_id", "received_at", *PHASES, "model", "input_tokens", "output_tokens", "cost_usd"),
)
CANCELS = (
    *("run", "stop_id", "at", "source", "requested", "acknowledged", "latency_ms"),
    *("requested_at", "acknowledged_at"),
)
DECISIONS = ("tenant_id", "kind", "reason", "bucket", "told_by")
CONTROLS = ("stop_id", "source", "permitted")
REACTIONS = ("type", "tenant_id", "channel", "rule_name", "reason", "led_to_a_run")
FEEDBACK = ("run", "verdict")

_SOUND: Final = pl.col("trouble").is_null()


class Family:
    """The events of one kind, and the columns of them that are kept.

    Names of events and runs are kept as 64 bits of a hash: of ten million, two are alike in one report of 370,000.
    """

    def __init__(self, name: str, chosen: pl.Expr, columns: tuple[str, ...], room: Room, about: str = "id") -> None:
        self._chosen, self._columns = chosen, columns
        self._heap = Heap(name, about, self.own(pl.LazyFrame(schema=EVENT)).collect(), room)

    def own(self, events: pl.LazyFrame) -> pl.LazyFrame:
        """What of these events it keeps."""
        return events.filter(self._chosen).select(pl.col("id").hash(), *map(_kept, self._columns))

    def add(self, rows: pl.DataFrame) -> None:
        """Takes in what is its own."""
        self._heap.add(rows)

    @property
    def met(self) -> int:
        """How many there were, repeats and all."""
        return self._heap.height

    def parts(self) -> Iterator[pl.DataFrame]:
        """Each event once, in parts of which none says anything of what another part is about."""
        return (once(rows, "id") for rows in self._heap.parts())

    def rows(self) -> pl.DataFrame:
        """All parts in one, where there are few events."""
        return pl.concat(self.parts())

    def counts(self) -> pl.DataFrame:
        """How many of them say the same, as `count`."""
        said = list(self._columns)
        parts = [part.group_by(said).agg(pl.len().alias("count")) for part in self.parts()]
        return pl.concat(parts).group_by(said).agg(pl.col("count").sum())


def _of_type(*types: str) -> pl.Expr:
    return pl.col("type").is_in(list(types))


class Gathered:
    """What a report is made of."""

    def __init__(self, room: Room | None = None) -> None:
        self.room = room = Room() if room is None else room
        decided = _of_type("decision.made")
        self.states = Family("states", _of_type("run.state"), STATES, room, about="run")
        self.cancels = Family("cancels", _of_type("run.cancel"), CANCELS, room)
        self.decisions = Family("decisions", decided, DECISIONS, room)
        self.controls = Family("controls", decided & (pl.col("kind") == "control"), CONTROLS, room)
        self.reactions = Family("reactions", _of_type("reaction.match", "reaction.skip"), REACTIONS, room)
        self.feedback = Family("feedback", _of_type("run.feedback"), FEEDBACK, room)
        self.troubles: Counter[str] = Counter()
        self.first: datetime | None = None
        self.last: datetime | None = None

    @property
    def met(self) -> int:
        """How many events there were, repeats and all. Controls are decisions, and counted as such."""
        return sum(each.met for each in (self.states, self.cancels, self.decisions, self.reactions, self.feedback))

    def add(self, events: pl.DataFrame) -> None:
        """Takes a batch in."""
        self.troubles.update(dict(events["trouble"].drop_nulls().value_counts().iter_rows()))
        sound = events if events["trouble"].null_count() == events.height else events.filter(_SOUND)
        if not sound.height:
            return
        first, last = sound.select(pl.col("at").min(), pl.col("at").max().alias("last")).row(0)
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)
        families = (self.states, self.cancels, self.decisions, self.controls, self.reactions, self.feedback)
        for family, rows in zip(families, pl.collect_all([each.own(sound.lazy()) for each in families]), strict=True):
            family.add(rows)


def _kept(name: str) -> pl.Expr:
    if name == "led_to_a_run":
        return pl.col("run_id").is_not_null().alias(name)
    if name == "run":
        return pl.when(pl.col("run_id").is_not_null()).then(pl.col("run_id").hash()).alias(name)
    return pl.col(name).cast(pl.Categorical) if name in _WORDS else pl.col(name)
