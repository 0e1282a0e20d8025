"""Which approval a program means by a name of its own: the one that it asked for last, even before that is folded."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from schemas.agent import ApprovalRequested
from services.supervisor.decisions.wire import LogEvent

MOST: Final = 10_000


@dataclass(frozen=True)
class Request:
    """What was asked last under a name."""

    name: str
    """What its program calls it."""
    task_id: str
    approval_id: str
    record: str
    """Its name in the log."""


class Requests:
    """The last requests that this process took in."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[str, str], Request] = OrderedDict()
        """By tenant, and by either name: its program's, and the approval's own."""

    def take(self, events: Iterable[tuple[LogEvent, str]]) -> dict[str, str]:
        """Remembers what is asked. Gives the own id of each, by its program's name."""
        found: dict[str, str] = {}
        for each, record in events:
            if isinstance(each, ApprovalRequested):
                found[each.request_id] = each.approval_id
                asked = Request(each.request_id, each.task_id, each.approval_id, record)
                for name in (each.approval_id, each.request_id):
                    self._last[each.tenant_id, name] = asked
                    self._last.move_to_end((each.tenant_id, name))
        while len(self._last) > MOST:
            self._last.popitem(last=False)
        return found

    def last(self, tenant_id: str, name: str, task_id: str | None) -> Request | None:
        """What was asked last under a name, as far as this process knows."""
        asked = self._last.get((tenant_id, name))
        return asked if asked is not None and task_id in {None, asked.task_id} else None

    def answered_by(self, tenant_id: str, asked: Request, approval_id: str) -> None:
        """It was asked already, and waits for the same answer."""
        for name in (asked.approval_id, asked.name):
            if self._last.get((tenant_id, name)) is asked:
                self._last[tenant_id, name] = replace(asked, approval_id=approval_id)
