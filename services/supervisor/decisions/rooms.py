"""How much may be said now: no more than Slack takes, and of a crowd bit by bit.

What does not fit waits, and is said as it is then.
"""

from typing import Final

from services.supervisor.decisions.allowance import Allowance
from services.supervisor.decisions.telling import Urgency

POSTS_PER_S, CHANGES_PER_S, BURST = 1.0, 40 / 60, 20.0
"""What is handed over: Slack lets an app post about one message a second in a channel, and change about fifty a minute
in a workspace, of which answers want some."""
KEPT: Final = 8.0
"""Of what is left for either, so much is not for tasks that only went on."""
UNASKED_PER_S, UNASKED_BURST = 50.0, 25.0
"""What nobody waits for, in all workspaces. Each takes the time of a responder, and of a router that hears of it from
Slack: where a thousand tasks begin in one moment, programs that report would wait behind what is said of it."""
MOST_ROOMS: Final = 10_000

Place = tuple[str, str | None]
"""A connection, and the channel of a new message: changes count for the whole workspace."""


class Rooms:
    """What each channel takes of new messages, each workspace of changes, and this process of what nobody waits for."""

    def __init__(self, now: float) -> None:
        self._places: dict[Place, Allowance] = {}
        self._unasked = Allowance.full(UNASKED_BURST, UNASKED_PER_S, now)

    def take(self, place: Place, urgency: Urgency, now: float) -> bool:
        """Whether one more may be said there, which counts from then on."""
        wanted = [(self._at(place, now), KEPT if urgency is Urgency.WENT_ON else 0.0)]
        if urgency >= Urgency.CHANGED:
            wanted.append((self._unasked, 0.0))
        if not all(room.wait_s(now, kept=kept) <= 0 for room, kept in wanted):
            return False
        for room, _ in wanted:
            room.take(now)
        return True

    def _at(self, place: Place, now: float) -> Allowance:
        if len(self._places) > MOST_ROOMS:
            self._places = {each: room for each, room in self._places.items() if not room.is_full(now)}
        per_s = CHANGES_PER_S if place[1] is None else POSTS_PER_S
        return self._places.setdefault(place, Allowance.full(BURST, per_s, now))
