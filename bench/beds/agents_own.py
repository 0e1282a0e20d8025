"""What supervising costs a program that reports by the SDK, measured in a process of its own.

`python -m bench.beds.agents_own calls` reports to the supervisor that its environment names; `outbox` to none that
answers, until the outbox is full; `import` only imports. Each prints one line of JSON.
"""

import json
import logging
import queue
import sys
import time
import tracemalloc
from collections.abc import Callable
from logging.handlers import QueueHandler, QueueListener
from typing import Any, Final

ROUNDS, IN_A_ROUND, EVERY_S = 100, 100, 0.1
"""A thousand calls a second, a hundred in a row: the sender is at work meanwhile."""
ALONE, PAUSE_S = 300, 0.02
WARMS: Final = 500
FLUSH_S: Final = 20.0


def main(what: str) -> None:
    """Measures one of them, and tells."""
    print(json.dumps({"calls": _calls, "outbox": _outbox, "import": _import}[what]()))


def _import() -> Any:
    began = time.perf_counter()
    import threadline_agent  # noqa: F401, PLC0415 - it is what is measured

    return (time.perf_counter() - began) * 1000


def _calls() -> Any:
    """Each call in microseconds: in a row, and after a pause; and a line of the program's own log beside it."""
    from threadline_agent import agent_task, flush  # noqa: PLC0415 - not where the import is measured

    log, listener = _log()
    with agent_task("bench", "Measured") as task:

        def report(number: int) -> None:
            task.checkpoint("Reading a file", progress=0.5, step="7", tokens=1000 + number, cost=0.001)

        def write(number: int) -> None:
            log.info("Reading a file, step %s of %s, %d tokens, %f USD", "7", "9", 1000 + number, 0.001)

        for number in range(WARMS):
            report(number)
            write(number)
        told = {"call": report, "log": write}
        took: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in told}
        for _ in range(ROUNDS):
            due = time.perf_counter() + EVERY_S
            for name, one in told.items():
                took[name][0].extend(_one(one, number) for number in range(IN_A_ROUND))
            time.sleep(max(0.0, due - time.perf_counter()))
        for number in range(ALONE):
            for name, one in told.items():
                time.sleep(PAUSE_S)
                took[name][1].append(_one(one, number))
    listener.stop()
    return {"took_us": took, "flushed": flush(FLUSH_S)}


def _log() -> tuple[logging.Logger, QueueListener]:
    """The usual way not to wait for a log: a thread writes what the program hands it."""
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    listener = QueueListener(waiting, logging.FileHandler("/dev/null"))
    listener.start()
    log = logging.getLogger("usual")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(QueueHandler(waiting))
    return log, listener


def _one(call: Callable[[int], None], number: int) -> float:
    began = time.perf_counter_ns()
    call(number)
    return (time.perf_counter_ns() - began) / 1000


def _outbox() -> Any:
    """In MiB, what everything that waits takes when no more fits."""
    from threadline_agent import agent_task  # noqa: PLC0415 - likewise
    from threadline_agent.line import SupervisorLine  # noqa: PLC0415 - likewise

    with agent_task("bench", "Measured") as task:
        line = task._line  # noqa: SLF001 - it is what is measured
        if not isinstance(line, SupervisorLine):
            raise TypeError("its environment names no supervisor")
        outbox = line._outbox  # noqa: SLF001 - likewise
        tracemalloc.start()
        number = 0
        while not outbox.left_out:
            number += 1
            task.checkpoint(f"Reading file {number} of many", progress=0.5, step=f"{number}", tokens=number, cost=0.001)
        return {"mib": tracemalloc.get_traced_memory()[0] / 2**20, "events": len(outbox)}


if __name__ == "__main__":
    main(sys.argv[1])
