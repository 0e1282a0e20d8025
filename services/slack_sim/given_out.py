"""What is given out for a while under a name: tickets, codes, trigger ids, response URLs."""

from typing import Generic, Protocol, TypeVar

from services.slack_sim.world.moments import Moments


class Limited(Protocol):
    """Something that is good until a time."""

    @property
    def until(self) -> float:
        """When it is good no more."""
        ...


Thing = TypeVar("Thing", bound=Limited)


class GivenOut(Generic[Thing]):
    """What was given out lately. What ran out is remembered for a while, so that it can be told from what never was."""

    def __init__(self, moments: Moments, remembered_s: float = 0.0) -> None:
        self._moments, self._remembered_s = moments, remembered_s
        self._things: dict[str, Thing] = {}

    def give(self, name: str, thing: Thing) -> None:
        """Gives something out, and forgets what ran out long ago."""
        long_ago = self._moments.now() - self._remembered_s
        while self._things and next(iter(self._things.values())).until < long_ago:
            del self._things[next(iter(self._things))]
        self._things[name] = thing

    def get(self, name: str) -> Thing | None:
        """What a name stands for, whether or not it is still good."""
        return self._things.get(name)

    def take_back(self, name: str) -> None:
        """It is good for nothing any more."""
        del self._things[name]

    def forget_all(self) -> None:
        """Forgets everything."""
        self._things.clear()
