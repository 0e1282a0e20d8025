"""Who starts next: threads keep their order, tenants take turns, and bounds hold back starting, never reading."""

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

AnyRun = TypeVar("AnyRun", bound=Hashable)


@dataclass(frozen=True)
class Bounds:
    """How much may go on at once."""

    all: int
    per_tenant: int


@dataclass
class _Tenant(Generic[AnyRun]):
    ready: deque[tuple[str, AnyRun]] = field(default_factory=deque)
    """Those whose thread is free, with the thread."""
    running: int = 0


class Starting(Generic[AnyRun]):
    """The waiting and the running, by tenant and by thread."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._tenants: dict[str, _Tenant[AnyRun]] = {}
        self._turns: deque[str] = deque()
        """Tenants who have something ready, in the order in which they get their turn."""
        self._threads: dict[str, deque[AnyRun]] = {}
        """Behind the run that has the thread, those that wait for it."""
        self._running: dict[AnyRun, tuple[str, str]] = {}
        self.waiting = 0

    @property
    def running(self) -> int:
        """How many go on."""
        return len(self._running)

    def add(self, tenant: str, thread: str, run: AnyRun) -> None:
        """One more is wanted."""
        self.waiting += 1
        if thread in self._threads:
            self._threads[thread].append(run)
        else:
            self._threads[thread] = deque()
            self._make_ready(tenant, thread, run)

    def next(self) -> Iterator[AnyRun]:
        """Those that start now."""
        rounds = len(self._turns)
        while self._turns and rounds > 0 and len(self._running) < self._bounds.all:
            name = self._turns.popleft()
            tenant = self._tenants[name]
            if tenant.running >= self._bounds.per_tenant:
                self._turns.append(name)
                rounds -= 1
                continue
            thread, run = tenant.ready.popleft()
            tenant.running += 1
            self.waiting -= 1
            self._running[run] = (name, thread)
            if tenant.ready:
                self._turns.append(name)
            rounds = len(self._turns)
            yield run

    def done(self, run: AnyRun) -> None:
        """It is over: its thread is free for the next."""
        name, thread = self._running.pop(run)
        self._tenants[name].running -= 1
        behind = self._threads[thread]
        if behind:
            self._make_ready(name, thread, behind.popleft())
        else:
            del self._threads[thread]
        if not self._tenants[name].ready and not self._tenants[name].running:
            del self._tenants[name]

    def _make_ready(self, name: str, thread: str, run: AnyRun) -> None:
        tenant = self._tenants.setdefault(name, _Tenant())
        tenant.ready.append((thread, run))
        if name not in self._turns:
            self._turns.append(name)
