"""Work that is done while what came of the work before is looked at."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Done = TypeVar("Done")


def one_ahead(works: Iterable[Callable[[], Done]]) -> Iterator[Done]:
    """What comes of each, in their order: one more is always being done, and never more than one."""
    with ThreadPoolExecutor(1) as worker:
        waiting: Future[Done] | None = None
        for work in works:
            following = worker.submit(work)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()
