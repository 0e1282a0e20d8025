"""What supervising costs a program that reports by the SDK, measured in a process of its own.

`python -m bench.beds.agents_own calls` reports to the supervisor that its environment names; `outbox` to none that
answers, until the outbox is full; `import` only imports. Each prints one line of JSON.
"""

import json
import sys
import time
import tracemalloc
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
    """Each call in microseconds: in a row, and after a pause."""
    from threadline_agent import agent_task, flush  # noqa: PLC0415 - not where the import is measured

    in_a_row: list[float] = []
    alone: list[float] = []
    with agent_task("bench", "Measured") as task:
        for number in range(WARMS):
            task.checkpoint("warm", step=f"{number}")
        for _ in range(ROUNDS):
            due = time.perf_counter() + EVERY_S
            in_a_row += [_one(task, number) for number in range(IN_A_ROUND)]
            time.sleep(max(0.0, due - time.perf_counter()))
        for number in range(ALONE):
            time.sleep(PAUSE_S)
            alone.append(_one(task, number))
    return {"in_a_row_us": in_a_row, "alone_us": alone, "flushed": flush(FLUSH_S)}


def _one(task: Any, number: int) -> float:
    began = time.perf_counter_ns()
    task.checkpoint("Reading a file", progress=0.5, step="7", tokens=1000 + number, cost=0.001)
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
