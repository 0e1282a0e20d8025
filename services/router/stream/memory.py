"""What is remembered of one partition: the fold of its journal, in the order of the source."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from services.router.stream.row import Row

SLOT_S = 60.0
"""Rows that end in the same minute are forgotten together."""


class Entry(NamedTuple):
    """What stands under a key."""

    value: Any
    offset: int
    """Which record of the source put it there."""
    until: float


class Memory:
    """One partition's. The same rows make the same memory, whoever reads them."""

    def __init__(self, rows: Mapping[int, Row] | None = None) -> None:
        self.clock = float("-inf")
        """The time of the latest row."""
        self._entries: dict[str, Entry] = {}
        self._rows: dict[int, Row] = {}
        """Those that may be asked for again: of records that are not settled yet."""
        self._unsettled: deque[int] = deque()
        self._ending: dict[int, list[tuple[int, tuple[str, ...]]]] = {}
        self._settled_clock = float("-inf")
        for offset in sorted(rows or ()):
            self.keep(offset, (rows or {})[offset])

    def __len__(self) -> int:
        """How many keys stand."""
        return len(self._entries)

    @property
    def live_rows(self) -> int:
        """How many rows of the journal are not forgotten yet."""
        return sum(len(slot) for slot in self._ending.values())

    def get(self, key: str, now: float) -> Entry | None:
        """What stands under a key, unless its time is over."""
        found = self._entries.get(key)
        return found if found is not None and found.until > now else None

    def clock_below(self, offset: int) -> float:
        """The time of the latest row of records before this one."""
        unsettled = (row.at for number, row in self._rows.items() if number < offset)
        return max(self._settled_clock, max(unsettled, default=self._settled_clock))

    def row(self, offset: int) -> Row | None:
        """What was decided about a record, if it was and is not settled."""
        return self._rows.get(offset)

    def lasting(self, changes: Iterable[tuple[str, Any, float]], at: float) -> float:
        """Until when a row with these changes is needed: no older row may come forth from behind it."""
        until = at
        for key, _, ends in changes:
            former = self._entries.get(key)
            until = max(until, ends, former.until if former is not None else ends)
        return until

    def keep(self, offset: int, row: Row) -> None:
        """Takes in a row. Only what is older gives way."""
        self.clock = max(self.clock, row.at)
        self._rows[offset] = row
        self._unsettled.append(offset)
        for key, value, until in row.changes:
            former = self._entries.get(key)
            if former is None or former.offset <= offset:
                self._entries[key] = Entry(value, offset, until)
        slot = self._ending.setdefault(int(row.until // SLOT_S), [])
        slot.append((offset, tuple(change[0] for change in row.changes)))

    def settle(self, below: int) -> None:
        """Records below are committed: nobody asks for them again, and time has passed for good."""
        while self._unsettled and self._unsettled[0] < below:
            row = self._rows.pop(self._unsettled.popleft(), None)
            if row is not None:
                self._settled_clock = max(self._settled_clock, row.at)

    def forget(self, most: int) -> list[int]:
        """Lets go of rows whose time is over, at most so many; gives their offsets.

        Time is that of the last settled row: an unsettled record may be decided again, and must find what it found.
        """
        gone: list[int] = []
        while self._ending and len(gone) < most:
            slot = min(self._ending)
            if (slot + 1) * SLOT_S > self._settled_clock:
                break
            rows = self._ending[slot]
            while rows and len(gone) < most:
                offset, keys = rows.pop()
                gone.append(offset)
                for key in keys:
                    if (entry := self._entries.get(key)) is not None and entry.offset == offset:
                        del self._entries[key]
            if not rows:
                del self._ending[slot]
        return gone

    def offsets(self) -> list[int]:
        """The source offsets of all rows that are not forgotten yet."""
        return [offset for slot in self._ending.values() for offset, _ in slot]

    def highest(self) -> int | None:
        """The highest of them."""
        return max(self.offsets(), default=None)
