"""The thread that brings events to the supervisor: in their order, one request at a time, until each is taken."""

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import TypeAlias

from threadline_agent.address import Address
from threadline_agent.events import Letter, letter
from threadline_agent.exchange import Exchange, Request, Unreachable
from threadline_agent.fit import Json
from threadline_agent.notices import LOG, mishap, once
from threadline_agent.outbox import MOST_EVENTS, Outbox
from threadline_agent.pauses import spread
from threadline_agent.reach import Reach
from threadline_agent.settings import TOKEN, Settings
from threadline_agent.verdict import HOLD_S, Held, Later, Taken, TooMuch, Verdict, verdict_on

EVENTS = "/v1/agents/events"
GATHERED_S = 0.2
"""So long plain checkpoints wait for others to go with."""
BATCH_BYTES = 512 * 1024
ANSWER_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
FLUSH_PAUSE_S = 0.25


class Flush:
    """Somebody waits until everything is with the supervisor."""

    def __init__(self, timeout: float) -> None:
        self._ends = time.monotonic() + timeout
        self._settled = threading.Event()
        self.delivered = False
        self.hopeless = False
        """The supervisor was away already when it was asked for: one attempt is made, and no more."""

    def wait(self) -> bool:
        """Whether everything was brought in time."""
        self._settled.wait(max(self._ends - time.monotonic(), 0))
        return self.delivered

    def settle(self, *, delivered: bool) -> None:
        """Lets go whoever waits."""
        self.delivered = delivered
        self._settled.set()

    def is_over(self) -> bool:
        """Nobody waits for it any more."""
        return time.monotonic() > self._ends


Signal: TypeAlias = "Flush | None"
"""What wakes the thread: something to send soon, or a flush."""


class Sender:
    """Brings what is in the outbox. `run` is the body of its thread; everything else may be called from any."""

    def __init__(self, settings: Settings, address: Address, outbox: Outbox, reach: Reach) -> None:
        self._settings = settings
        self._outbox = outbox
        self._reach = reach
        self._exchange = Exchange(address)
        self._signals: SimpleQueue[Signal] = SimpleQueue()
        self._flushes: list[Flush] = []
        self._failures = 0
        self._awake = False
        self._hurry = False

    def notice(self, *, important: bool) -> None:
        """Something was put into the outbox. It may be called from a signal's handler."""
        if important and not self._hurry:
            self._hurry = True
            self._signals.put(None)
        elif not self._awake:
            self._awake = True
            self._signals.put(None)

    def flush(self, timeout: float) -> bool:
        """Waits until everything is with the supervisor, and says whether it is."""
        flush = Flush(timeout)
        self._signals.put(flush)
        return flush.wait()

    def run(self) -> None:
        """For as long as the process lives."""
        while True:
            try:
                self._wait_for_events()
                self._hurry = False
                if events := self._outbox.take():
                    self._deliver([letter(event) for event in events])
            except Exception:  # noqa: BLE001 - whatever it is, the next events are still to be sent
                mishap("sending")
                self._hear(FIRST_PAUSE_S)

    def _wait_for_events(self) -> None:
        while not self._outbox:
            self._awake = False
            if not self._outbox:  # once more: who put something in before that was told that nobody sleeps
                self._settle(delivered=True)
                self._hear(None)
        until = time.monotonic() + GATHERED_S
        while not (self._hurry or self._flushes or len(self._outbox) >= MOST_EVENTS):
            if (left := until - time.monotonic()) <= 0:
                return
            self._hear(left)

    def _hear(self, timeout: float | None) -> None:
        try:
            signal = self._signals.get(timeout=timeout)
        except Empty:
            return
        if signal is not None:
            signal.hopeless = self._failures > 0
            self._flushes.append(signal)

    def _settle(self, *, delivered: bool) -> None:
        for flush in self._flushes:
            flush.settle(delivered=delivered)
        self._flushes.clear()

    def _deliver(self, letters: list[Letter]) -> None:
        """Ends when none of them is to be sent any more."""
        parts = deque(in_parts(letters))
        while parts:
            part = parts[0]
            match self._attempt(part):
                case Taken(refused):
                    parts.popleft()
                    self._taken(part, refused)
                case TooMuch(why):
                    parts.popleft()
                    if len(part) == 1:
                        self._taken(part, {0: why})
                    else:
                        middle = len(part) // 2
                        parts.extendleft((part[middle:], part[:middle]))
                case Later(why, after):
                    self._reach.lost(why)
                    self._pause(after)
                case Held(why):
                    self._reach.lost(why, mend=f"{TOKEN} and the address are worth a look")
                    self._pause(HOLD_S, hopeless=True)

    def _attempt(self, part: list[Letter]) -> Verdict:
        token = self._settings.secret()
        if token is None:
            return Held("there is no token any more")
        try:
            answer = self._exchange.ask(Request("POST", EVENTS, token, self._body(part)), ANSWER_S)
        except Unreachable as error:
            return Later(str(error))
        return verdict_on(answer, len(part))

    def _body(self, part: list[Letter]) -> bytes:
        home: dict[str, Json] = {
            "workspace": self._settings.workspace,
            "app": self._settings.app,
            "channel": self._settings.channel,
        }
        return enveloped({key: value for key, value in home.items() if value is not None}, part)

    def _taken(self, part: list[Letter], refused: dict[int, str]) -> None:
        self._failures = 0
        self._reach.found()
        for place, (event, _) in enumerate(part):
            self._outbox.done(event)
            why = refused.get(place)
            if why is None:
                continue
            key = f"refused {event.kind} {why}"
            once(logging.WARNING, key, "the supervisor refused a %s of %s: %s", event.kind, event.task.agent_id, why)
            if event.lost is not None:
                event.lost(why)
        if not self._outbox and (left_out := self._outbox.told_of_left_out()):
            LOG.warning("%s events were left out while too much waited to be sent; costs were kept", left_out)

    def _pause(self, after: float | None, *, hopeless: bool = False) -> None:
        """Waits for the next attempt. Who wants a flush gets one at once, and more only where that is not hopeless."""
        for flush in self._flushes:
            if hopeless or flush.hopeless:
                flush.settle(delivered=False)
        self._flushes = [flush for flush in self._flushes if not (hopeless or flush.hopeless or flush.is_over())]
        self._failures += 1
        usual = min(FIRST_PAUSE_S * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE_S)
        seconds = usual * spread() if after is None else after
        if self._flushes:
            seconds = min(seconds, FLUSH_PAUSE_S)
        until = time.monotonic() + seconds
        waiting = len(self._flushes)
        while len(self._flushes) == waiting and (left := until - time.monotonic()) > 0:
            self._hear(left)


def in_parts(letters: list[Letter]) -> Iterator[list[Letter]]:
    """As many in each as one request may have in bytes."""
    part: list[Letter] = []
    size = 0
    for each in letters:
        if part and size + len(each.encoded) > BATCH_BYTES:
            yield part
            part, size = [], 0
        part.append(each)
        size += len(each.encoded) + 1
    if part:
        yield part


def enveloped(home: dict[str, Json], part: list[Letter]) -> bytes:
    """The body of a request."""
    opening = json.dumps({**home, "events": []}).encode("ascii").removesuffix(b"]}")
    return opening + b",".join(each.encoded for each in part) + b"]}"
