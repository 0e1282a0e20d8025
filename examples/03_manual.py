"""A task that is begun, told of and ended by hand: for programs that have no block which is their task."""

import time

from making_believe import pause
from threadline_agent import SyncCheckpointEmitter

TABLES = ("customers", "orders", "invoices")


def main(seconds: float) -> None:
    """Copies three tables, as far as anybody can see."""
    task = SyncCheckpointEmitter("copier", "Copy the tables", context_size=100_000)
    task.start()
    for number, table in enumerate(TABLES):
        task.checkpoint(f"Copying {table}", progress=number / len(TABLES), rows=1000 * (number + 1))
        time.sleep(seconds)
    task.warn("Two invoices have no customer", count=2)
    task.complete("Three tables are copied")


if __name__ == "__main__":
    main(pause())
