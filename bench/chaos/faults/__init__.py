"""Every kind of fault, by the name that scenarios call it."""

from collections.abc import Mapping
from typing import Final

from bench.chaos.faults import clocks, disks, links, log, model, processes, slack
from bench.chaos.faults.kind import FaultKind

FAULTS: Final[Mapping[str, FaultKind]] = {
    **processes.KINDS,
    **links.KINDS,
    **disks.KINDS,
    **clocks.KINDS,
    **slack.KINDS,
    **model.KINDS,
    **log.KINDS,
}
