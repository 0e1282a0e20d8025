"""Decides when a delivery is attempted, when it counts as failed, and whether it is attempted again."""

import logging
from collections import deque
from typing import Any, Protocol

from services.slack_sim.delivery.delivery import Attempt, Delivery, State
from services.slack_sim.delivery.policy import Policy
from services.slack_sim.world.entities import App
from services.slack_sim.world.moments import Moments
from services.slack_sim.world.names import Names
from services.slack_sim.world.world import World

log = logging.getLogger(__name__)

DISABLED = "disabled"
NO_SOCKET = "no_socket"


class Carrier(Protocol):
    """A way to an app."""

    timed_out: str
    """What it calls an attempt that was not acknowledged in time."""

    def ready(self, app: App) -> str | None:
        """By which of its ways it would go now, such as `socket 3`; none where there is no way."""
        ...

    def send(self, delivery: Delivery, attempt: Attempt) -> None:
        """Sends it. What comes of it is told to the dispatcher."""
        ...


class Dispatcher:
    """Keeps every delivery until it is settled, and the last ones for whoever wants to look at them."""

    def __init__(self, world: World, names: Names, moments: Moments, kept: int) -> None:
        self.policy = Policy()
        self.last: deque[Delivery] = deque(maxlen=kept)
        self.counts: dict[str, int] = {}
        self.watchers: list[Any] = []
        self._world, self._names, self._moments = world, names, moments
        self._carriers: dict[bool, Carrier] = {}
        self._open: dict[int, Delivery] = {}
        self._by_attempt: dict[str, tuple[Delivery, Attempt]] = {}
        self._over: deque[Delivery] = deque()
        self._waiting: dict[str, dict[int, Delivery]] = {}
        self._kept = kept
        self._number = 0
        self.attempts = 0
        """How many there were."""

    def carry(self, sockets: Carrier, http: Carrier) -> None:
        """Names the ways."""
        self._carriers = {True: sockets, False: http}

    def deliver(self, delivery: Delivery) -> Delivery:
        """Begins with a new one."""
        self._number += 1
        delivery.number = self._number
        self.last.append(delivery)
        self._open[delivery.number] = delivery
        self._count(delivery.kind)
        self._attempt(delivery)
        return delivery

    def way_opened(self, app_id: str) -> None:
        """There is a way to an app that there was not: what waited for it goes now."""
        for delivery in self._waiting.pop(app_id, {}).values():
            self._call_off(delivery)
            self._attempt(delivery)

    def sent(self, delivery: Delivery, attempt: Attempt) -> None:
        """An attempt is on its way. Its time runs from here."""
        if delivery.number not in self._open or attempt is not delivery.attempts[-1] or attempt.failure is not None:
            return
        attempt.sent_at = self._moments.now()
        timed_out = self._carrier(delivery).timed_out
        delivery.timer = self._moments.after(self.policy.deadline_s, lambda: self.failed(delivery, attempt, timed_out))

    def unsent(self, delivery: Delivery, attempt: Attempt) -> None:
        """An attempt never left: its socket closed before. It does not count, and another way is sought."""
        if delivery.number in self._open and attempt is delivery.attempts[-1] and attempt.failure is None:
            self._call_off(delivery)
            delivery.attempts.pop()
            del self._by_attempt[attempt.id]
            self._attempt(delivery)

    def acknowledged(self, app_id: str, attempt_id: str, payload: dict[str, Any] | None) -> bool:
        """Takes an acknowledgement, over whichever socket it came. False where nothing of that name was sent."""
        found = self._by_attempt.get(attempt_id)
        if found is None or found[0].app_id != app_id:
            self._count("unknown_acks")
            return False
        delivery, attempt = found
        if attempt.acknowledged_at is not None:
            self._count("repeated_acks")
            return True
        attempt.acknowledged_at = self._moments.now()
        if delivery.number not in self._open:
            delivery.late = delivery.late or delivery.state == "given up"
            self._changed(delivery)
            return True
        delivery.late = attempt.acknowledged_at - attempt.sent_at > self.policy.deadline_s or delivery.failures > 0
        self._settle(delivery, "acknowledged")
        self._answer(delivery, payload or {})
        return True

    def failed(self, delivery: Delivery, attempt: Attempt | None, reason: str, *, final: bool = False) -> None:
        """An attempt came to nothing."""
        if delivery.number not in self._open:
            return
        if attempt is not None:
            if attempt.failure is not None or attempt is not delivery.attempts[-1]:
                return
            attempt.failure = reason
        self._call_off(delivery)
        retries = self.policy.redelivery_s if delivery.kind == "events_api" and not final else ()
        delivery.failures += 1
        if delivery.failures > len(retries):
            self._settle(delivery, "given up" if delivery.attempts else "lost")
            self._answer(delivery, None)
            return
        self._count("redeliveries")
        wait = retries[delivery.failures - 1]
        delivery.timer = self._moments.after(wait, lambda: self._attempt(delivery))
        self._changed(delivery)

    @property
    def open(self) -> int:
        """How many are neither acknowledged nor over."""
        return len(self._open)

    @property
    def on_their_way(self) -> int:
        """How many could be acknowledged at any moment."""
        sent = (each for each in self._open.values() if each.state == "sent")
        return sum(each.attempts[-1].failure is None for each in sent)

    def forget_records(self) -> None:
        """Forgets what is over, and the counts."""
        self.last = deque(self._open.values(), maxlen=self._kept)
        self.counts.clear()

    def forget_all(self) -> None:
        """Gives up everything, and the records of it."""
        for delivery in list(self._open.values()):
            self._settle(delivery, "lost")
            self._answer(delivery, None)
        self._by_attempt.clear()
        self._over.clear()
        self.forget_records()

    def _attempt(self, delivery: Delivery) -> None:
        if delivery.number not in self._open:
            return
        carrier = self._carrier(delivery)
        way = carrier.ready(self._world.apps[delivery.app_id])
        if way is None:
            self._without_way(delivery)
            return
        before = delivery.attempts[-1].failure if delivery.attempts else None
        number = len(delivery.attempts)
        self.attempts += 1
        attempt = Attempt(self._names.uuid("envelope"), number, way, self._moments.now(), before or "")
        delivery.attempts.append(attempt)
        delivery.state = "sent"
        self._by_attempt[attempt.id] = (delivery, attempt)
        carrier.send(delivery, attempt)
        self._changed(delivery)

    def _carrier(self, delivery: Delivery) -> Carrier:
        return self._carriers[self._world.apps[delivery.app_id].socket_mode]

    def _without_way(self, delivery: Delivery) -> None:
        if not self._world.apps[delivery.app_id].socket_mode:
            self.failed(delivery, None, DISABLED, final=True)
        elif delivery.kind != "events_api" or self.policy.without_socket == "lose":
            self.failed(delivery, None, NO_SOCKET, final=True)
        elif self.policy.without_socket == "retry":
            self.failed(delivery, None, NO_SOCKET)
        else:
            delivery.state = "waiting"
            self._waiting.setdefault(delivery.app_id, {})[delivery.number] = delivery
            left = delivery.made_at + self.policy.kept_s - self._moments.now()
            delivery.timer = self._moments.after(left, lambda: self._settle(delivery, "lost"))
            self._changed(delivery)

    def _settle(self, delivery: Delivery, state: State) -> None:
        """It is over. Its names are remembered as long as it is itself, since acknowledgements may still come."""
        delivery.state = state
        self._call_off(delivery)
        self._open.pop(delivery.number, None)
        self._waiting.get(delivery.app_id, {}).pop(delivery.number, None)
        self._count(state)
        if delivery.late:
            self._count("late")
        self._over.append(delivery)
        if len(self._over) > self._kept:
            for attempt in self._over.popleft().attempts:
                self._by_attempt.pop(attempt.id, None)
        self._changed(delivery)

    def _answer(self, delivery: Delivery, payload: dict[str, Any] | None) -> None:
        """Does what an app answered. Whatever that is, it must not harm whoever brought it."""
        if delivery.answered is None:
            return
        try:
            delivery.answered(delivery, payload)
        except Exception:
            log.exception("what %s answered to %s could not be done", delivery.app_id, delivery.name)

    def _call_off(self, delivery: Delivery) -> None:
        if delivery.timer is not None:
            delivery.timer.then = None
            delivery.timer = None

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def _changed(self, delivery: Delivery) -> None:
        for watcher in self.watchers:
            watcher(delivery)
