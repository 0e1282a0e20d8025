"""A process's line to a supervisor: one outbox and two threads for all tasks of the same address and token."""

import atexit
import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import Protocol

from threadline_agent.address import Address, NoAddress
from threadline_agent.events import NAMES, Event
from threadline_agent.notices import LOG, mishap, warn_once
from threadline_agent.outbox import Outbox
from threadline_agent.settings import URL, Settings
from threadline_agent.status import AgentStatus
from threadline_agent.task_orders import Orders

AT_EXIT_S = 2.0


class Line(Protocol):
    """Where events go, and orders come from."""

    @property
    def settings(self) -> Settings:
        """What it was made from."""
        ...

    @property
    def address(self) -> Address | None:
        """Of the supervisor; nothing where there is none."""
        ...

    def put(self, event: Event) -> bool:
        """Takes an event, at once; says whether there was room for it."""
        ...

    def attend(self, orders: Orders) -> None:
        """From now on a task is said to live, and what is wanted of it is heard."""
        ...

    def release(self, orders: Orders) -> None:
        """It is over."""
        ...

    def flush(self, timeout: float) -> bool:
        """Waits until everything was taken, and says whether it was."""
        ...

    def trouble(self) -> str | None:
        """Why nothing reaches the supervisor, where it is so."""
        ...


class LogLine:
    """There is no supervisor: what is reported goes to the log of the program."""

    address = None

    def __init__(self, settings: Settings, why: str) -> None:
        self.settings = settings
        self._why = why
        warn_once("log only", "tasks are only logged: %s", why)

    def put(self, event: Event) -> bool:
        """One line."""
        LOG.info("%s", _told(event))
        return True

    def attend(self, orders: Orders) -> None:
        """Nobody can want anything of it."""

    def release(self, orders: Orders) -> None:
        """Nobody could."""

    def flush(self, timeout: float) -> bool:  # noqa: ARG002 - nothing waits
        """Everything is in the log."""
        return True

    def trouble(self) -> str | None:
        """Why it is only logged."""
        return self._why


class SupervisorLine:
    """To a supervisor. Its threads start with the first event and end with the process."""

    def __init__(self, settings: Settings, address: Address) -> None:
        self.settings = settings
        self.address = address
        self._begin()

    def _begin(self) -> None:
        # Here and not at the import of the package: they take as long as everything else together. And not in the
        # threads: a process that is forked while another thread imports waits for that import for ever.
        import encodings.idna  # noqa: F401, PLC0415

        from threadline_agent.orders import Attendance  # noqa: PLC0415
        from threadline_agent.reach import Reach  # noqa: PLC0415
        from threadline_agent.sender import Sender  # noqa: PLC0415

        self._reach = Reach(self.address)
        self._outbox = Outbox()
        self._sender = Sender(self.settings, self.address, self._outbox, self._reach)
        self._attendance = Attendance(self.settings, self.address, self._reach)
        self._lock = threading.RLock()
        self._started: set[str] = set()

    def put(self, event: Event) -> bool:
        """Takes an event; says whether there was room for it."""
        there_was_room = self._outbox.put(event)
        if "sender" not in self._started:
            self._start("sender")
        self._sender.notice(important=event.important)
        return there_was_room

    def attend(self, orders: Orders) -> None:
        """From now on the task is said to live."""
        self._attendance.attend(orders)
        if "orders" not in self._started:
            self._start("orders")

    def release(self, orders: Orders) -> None:
        """It is over."""
        self._attendance.release(orders)

    def flush(self, timeout: float) -> bool:
        """Waits until everything was taken, and says whether it was."""
        return not self._started or self._sender.flush(timeout)

    def trouble(self) -> str | None:
        """Why nothing reaches the supervisor, where it is so."""
        return self._reach.why

    def waiting(self) -> int:
        """How many events wait to be sent."""
        return len(self._outbox)

    def forked(self) -> None:
        """In a child that was forked: the threads are not there, and what waits is the parent's to send."""
        self._begin()

    def _start(self, which: str) -> None:
        with self._lock:
            if which in self._started:
                return
            self._started.add(which)
            body = self._sender.run if which == "sender" else self._attendance.run
            try:
                threading.Thread(target=body, name=f"threadline-agent {which}", daemon=True).start()
            except RuntimeError:  # the interpreter ends, or the machine has no thread left
                warn_once(f"thread {which}", "no thread could be started; nothing reaches the supervisor")
        _flush_at_the_end_of_a_worker()


_lines: dict[Settings, SupervisorLine] = {}
_lock = threading.RLock()


def line_of(settings: Settings) -> Line:
    """The line of these settings. To a supervisor there is one."""
    with _lock:
        known = _lines.get(settings)
        if known is not None:
            return known
        line = _new(settings)
        if isinstance(line, SupervisorLine):
            _lines[settings] = line
        return line


def flush(timeout: float = AT_EXIT_S) -> bool:
    """Waits, so long at most, until everything that was reported is with the supervisor; says whether it is."""
    until = time.monotonic() + timeout
    taken = [line.flush(max(until - time.monotonic(), 0.0)) for line in list(_lines.values())]
    return all(taken)


def wait_no_more() -> None:
    """At the end of the process nothing is waited for: somebody did so, and told of it."""
    atexit.unregister(_flush_at_exit)


def _new(settings: Settings) -> Line:
    if missing := list(settings.missing()):
        are = "is" if len(missing) == 1 else "are"
        return LogLine(settings, f"{' and '.join(missing)} {are} not set, nor given to threadline_agent.configure()")
    try:
        return SupervisorLine(settings, Address.of(settings.url or ""))
    except NoAddress as error:
        return LogLine(settings, f"{URL} is no address of a supervisor: {error}")


def _told(event: Event) -> str:
    """An event as a line of a log."""
    agent = event.task.agent_id
    if (checkpoint := event.checkpoint()) is not None:
        warns = checkpoint.level == "warning"
        return f"{(AgentStatus.CONTEXT_WARNING if warns else checkpoint.status).emoji} {agent}: {checkpoint}"
    says = event.says
    assert isinstance(says, Mapping)  # noqa: S101 - everything else than a checkpoint is one
    match event.kind:
        case "task.started":
            return f"{AgentStatus.STARTING.emoji} {agent}: {says['task_name']} (task {event.task.task_id})"
        case "task.artifact":
            return f"📎 {agent}: {says['artifact']} {says['title']} {says.get('link') or ''}".rstrip()
        case "task.ended":
            status = AgentStatus(str(says["status"]))
            return f"{status.emoji} {agent}: {status.value}{f': {summary}' if (summary := says.get('summary')) else ''}"
        case "task.handed_over":
            return f"🤝 {agent}: handed over to {says['to_agent_id']}: {says['text']}"
        case _:
            return f"{AgentStatus.WAITING_FOR_APPROVAL.emoji} {agent}: {says['action']}"


def _flush_at_exit() -> None:
    try:
        if not flush(AT_EXIT_S):
            waiting = sum(line.waiting() for line in _lines.values())
            LOG.warning("the process ends, and the last that it reported (%s events or more) was not taken", waiting)
    except Exception:  # noqa: BLE001 - the end of a process is no place to fail
        mishap("flushing at exit")


def _flush_at_the_end_of_a_worker() -> None:
    """A child of multiprocessing ends without what `atexit` was told; multiprocessing has its own way."""
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        from multiprocessing.util import Finalize  # noqa: PLC0415 - only where multiprocessing is there already

        Finalize(None, _flush_at_exit, exitpriority=0)


def _forked() -> None:
    """In a child that was forked."""
    global _lock  # noqa: PLW0603 - whoever held it is not there
    _lock = threading.RLock()
    NAMES.anew()
    for line in _lines.values():
        line.forked()


atexit.register(_flush_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
