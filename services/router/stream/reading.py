"""Where a member of a group stands in each partition of its source: what comes next, and what it may commit."""

from dataclasses import dataclass, field


@dataclass
class Place:
    """One partition of this assignment."""

    generation: int
    start: int
    """Where this assignment began to read."""
    wanted: int
    """The next offset that the client may hand over."""
    expected: int
    """The next offset that is to be handled: between the client and us, a rebalance may drop what is in hand."""
    watermark: int
    """Everything below is done with."""
    halted: str | None = None
    """Why nothing is read for now."""
    rewind_to: int | None = None


@dataclass
class Reading:
    """Every partition of the source that is ours."""

    topic: str
    places: dict[int, Place] = field(default_factory=dict)
    holes: int = 0
    """How often offsets were missing, and read again."""

    def begin(self, partition: int, generation: int, start: int) -> Place:
        """A partition is read from here on."""
        place = Place(generation, start, wanted=start, expected=start, watermark=start)
        self.places[partition] = place
        return place

    def keep_only(self, partitions: set[int]) -> None:
        """What is not ours any more is forgotten."""
        for partition in self.places.keys() - partitions:
            del self.places[partition]

    def hand_over(self, partition: int, offset: int) -> int | None:
        """Whether the client may hand over an offset: itself if it may, what it must fetch first, or nothing.

        Fetches that were under way before a seek arrive after it, so that later offsets are seen first.
        """
        place = self.places.get(partition)
        if place is None or place.halted is not None or offset < place.wanted:
            return None
        if offset > place.wanted:
            self.holes += 1
            return place.wanted
        place.wanted = offset + 1
        return offset

    def take(self, partition: int, offset: int, generation: int) -> bool:
        """Whether an offset is the next to be handled; asks for a rewind where one before it got lost."""
        place = self.places.get(partition)
        if place is None or place.generation != generation or place.halted is not None or offset < place.expected:
            return False
        if offset > place.expected:
            if place.rewind_to is None:
                self.holes += 1
                place.rewind_to = place.expected
            return False
        place.expected = offset + 1
        return True

    def done(self, partition: int, offset: int, generation: int) -> None:
        """Everything up to an offset is done with. What an earlier assignment did moves nothing."""
        place = self.places.get(partition)
        if place is not None and place.generation == generation:
            place.watermark = max(place.watermark, offset + 1)

    def may_commit(self, partition: int, generation: int) -> int | None:
        """What may be committed, if anything was done in this assignment."""
        place = self.places.get(partition)
        if place is None or place.generation != generation or place.watermark <= place.start:
            return None
        return place.watermark

    def rewinds(self) -> dict[int, int]:
        """Where the client must go back to; asked for once."""
        found = {}
        for partition, place in self.places.items():
            if place.rewind_to is not None:
                found[partition] = place.wanted = place.rewind_to
                place.rewind_to = None
        return found

    def halt(self, partition: int, at: int, why: str) -> None:
        """Nothing is read from this offset on, until somebody lets it."""
        place = self.places[partition]
        place.expected, place.halted = at, why

    def go_on_at(self, partition: int, at: int) -> None:
        """Reads on elsewhere, and commits that before anything is read there."""
        place = self.places[partition]
        place.expected = place.watermark = at
        place.start = at - 1
        self.resume(partition)

    def resume(self, partition: int) -> None:
        """Reads on where it stopped."""
        place = self.places[partition]
        place.halted = None
        place.rewind_to = place.expected
