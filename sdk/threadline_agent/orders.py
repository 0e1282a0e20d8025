"""What people want of tasks that run, and the thread that says that they live and hears of it."""

import json
import threading
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import Any

from threadline_agent.address import Address
from threadline_agent.answer import Answer
from threadline_agent.exchange import Exchange, Interrupted, Request, Unreachable
from threadline_agent.notices import mishap
from threadline_agent.pauses import spread
from threadline_agent.reach import Reach
from threadline_agent.settings import Settings
from threadline_agent.task_orders import Orders
from threadline_agent.verdict import HOLD_S

ALIVE = "/v1/agents/alive"
WAIT_S = 10.0
MOST_TASKS = 500
"""In one request."""
ANSWER_S = 10.0
SHORTEST_S = 0.2
"""Between two requests, however often tasks begin."""
MANY_S = 2.0
"""Between two rounds of requests that do not wait, where there are more tasks than one can name."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
OK, LAST_OF_HOLDS = 200, 499


class Attendance:
    """Says which tasks live. `run` is the body of its thread."""

    def __init__(self, settings: Settings, address: Address, reach: Reach) -> None:
        self._settings = settings
        self._reach = reach
        self._exchange = Exchange(address)
        self._lock = threading.RLock()
        self._living: dict[str, list[Orders]] = {}
        self._woken: SimpleQueue[None] = SimpleQueue()
        self._failures = 0

    def attend(self, orders: Orders) -> None:
        """A task lives from now on."""
        with self._lock:
            self._living.setdefault(orders.task_id, []).append(orders)
        self._woken.put(None)
        self._exchange.interrupt()

    def release(self, orders: Orders) -> None:
        """It does not any more."""
        with self._lock:
            others = self._living.get(orders.task_id, [])
            if orders in others:
                others.remove(orders)
            if not others:
                self._living.pop(orders.task_id, None)

    def run(self) -> None:
        """For as long as the process lives."""
        while True:
            try:
                self._sleep(self._round() if self._living else None)
            except Exception:  # noqa: BLE001 - whatever it is, the tasks still live
                mishap("hearing of orders")
                time.sleep(FIRST_PAUSE_S)

    def _round(self) -> float:
        """Tells of every task that lives; gives the seconds until that is to be done again."""
        with self._lock:
            versions = {task_id: min(each.version for each in orders) for task_id, orders in self._living.items()}
            often = min((each.heartbeat for orders in self._living.values() for each in orders), default=WAIT_S)
        chunks = list(_chunks(versions))
        for chunk in chunks:
            if (pause := self._tell(chunk, min(often, WAIT_S) if len(chunks) == 1 else 0.0)) is not None:
                return pause
        return SHORTEST_S if len(chunks) == 1 else MANY_S

    def _sleep(self, seconds: float | None) -> None:
        """Until then, or without a time until a task begins."""
        if seconds is not None:
            time.sleep(seconds)
        try:
            self._woken.get(block=seconds is None)
            while True:
                self._woken.get_nowait()
        except Empty:
            return

    def _tell(self, versions: dict[str, int], wait: float) -> float | None:
        """One request; the pause before the next where it was in vain."""
        token = self._settings.secret()
        if token is None:
            return HOLD_S  # the sender says so
        said: dict[str, Any] = {"tasks": versions, "wait_s": wait}
        with self._lock:
            ours = [each for task_id in versions for each in self._living.get(task_id, ())]
        if leases := {each.task_id: each.lease_id for each in ours if each.lease_id is not None}:
            said["leases"] = leases
        body = json.dumps(said).encode("ascii")
        try:
            answer = self._exchange.ask(Request("POST", ALIVE, token, body), wait + ANSWER_S)
        except Interrupted:
            return SHORTEST_S  # another task began
        except Unreachable as error:
            return self._in_vain(str(error))
        if answer.status != OK or not self._hear(answer):
            return self._in_vain(answer.message(), held=answer.status <= LAST_OF_HOLDS and answer.status != OK)
        self._failures = 0
        return None

    def _in_vain(self, why: str, *, held: bool = False) -> float:
        self._reach.lost(why)
        self._failures += 1
        usual = min(FIRST_PAUSE_S * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE_S)
        return HOLD_S if held else usual * spread()

    def _hear(self, answer: Answer) -> bool:
        """Hands on what is wanted; says whether the answer was one."""
        try:
            tasks = json.loads(answer.body)["tasks"]
            for task_id, wanted in tasks.items():
                for orders in tuple(self._living.get(task_id, ())):
                    orders.hear(wanted)
                    if orders.is_lost:
                        self.release(orders)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return False
        return True


def _chunks(versions: dict[str, int]) -> Iterator[dict[str, int]]:
    names = list(versions)
    for start in range(0, len(names), MOST_TASKS):
        yield {name: versions[name] for name in names[start : start + MOST_TASKS]}
