"""In which order programs start and stop: each after all that it needs, and before whatever it needs is stopped."""

from collections.abc import Iterable, Mapping

Needs = Mapping[str, Iterable[str]]
"""By a program's name, the names of those that it needs."""


class Unsound(ValueError):
    """Programs that could never start."""


def check(needs: Needs) -> None:
    """Refuses a need that nobody answers, and programs that wait for each other."""
    for name, needed in needs.items():
        if strangers := sorted(set(needed) - set(needs)):
            raise Unsound(f"{name} needs {', '.join(strangers)}, which is not there")
    ready: set[str] = set()
    while found := startable(needs, ready, ready):
        ready |= set(found)
    if waiting := sorted(set(needs) - ready):
        raise Unsound(f"{', '.join(waiting)} wait for each other")


def startable(needs: Needs, begun: set[str], ready: set[str]) -> list[str]:
    """Those that have all they need, and were not begun yet."""
    return [name for name, needed in needs.items() if name not in begun and set(needed) <= ready]


def stoppable(needs: Needs, stopped: set[str]) -> list[str]:
    """Those that still stand, and that nobody who stands needs."""
    needed = {each for name, them in needs.items() if name not in stopped for each in them}
    return [name for name in needs if name not in stopped and name not in needed]
