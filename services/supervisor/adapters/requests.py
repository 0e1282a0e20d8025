"""Which approval a program means by a name of its own: the one that it asked for last, even before that is folded."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from schemas.agent import ApprovalRequested
from services.supervisor.decisions.wire import LogEvent

MOST: Final = 10_000


class Requests:
    """The last requests that this process took in."""

    def __init__(self) -> None:
        self._ids: OrderedDict[tuple[str, str], tuple[str, str]] = OrderedDict()
        """By tenant and name, the task and the approval's own id."""

    def take(self, events: Iterable[LogEvent]) -> dict[str, str]:
        """Remembers what is asked. Gives the own id of each, by its program's name."""
        found: dict[str, str] = {}
        for each in events:
            if isinstance(each, ApprovalRequested):
                found[each.request_id] = each.approval_id
                self._ids[each.tenant_id, each.request_id] = each.task_id, each.approval_id
                self._ids.move_to_end((each.tenant_id, each.request_id))
        while len(self._ids) > MOST:
            self._ids.popitem(last=False)
        return found

    def id_of(self, tenant_id: str, name: str, task_id: str | None) -> str | None:
        """The approval that was asked for last under a name, as far as this process knows."""
        task, approval_id = self._ids.get((tenant_id, name), (None, None))
        return approval_id if task_id in {None, task} else None
