"""What a process takes of the machine, with the processes that it started."""

from collections.abc import Iterator
from contextlib import suppress

import psutil


def cpu_s(pid: int) -> float:
    """How much of a core it has used."""
    found = 0.0
    for each in _family(pid):
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            found += times.user + times.system
    return found


def rss_mb(pid: int) -> float:
    """How much memory it holds, as `ps` counts it: what processes share counts once for each."""
    found = 0.0
    for each in _family(pid):
        with suppress(psutil.NoSuchProcess):
            found += each.memory_info().rss / 1e6
    return found


def pss_mb(pid: int) -> float:
    """The same, where what processes share counts once."""
    found = 0.0
    for each in _family(pid):
        with suppress(psutil.NoSuchProcess):
            found += each.memory_full_info().pss / 1e6
    return found


def _family(pid: int) -> Iterator[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        first = psutil.Process(pid)
        yield first
        yield from first.children(recursive=True)
