"""Work that several wait for: done once for all of them, and ended when nobody waits any more."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")


def retrieved(task: asyncio.Task[Any]) -> None:
    """Who waited was told of the failure; where nobody waits any more, nobody needs to be."""
    if not task.cancelled():
        task.exception()


@dataclass
class _Question(Generic[Answer]):
    task: asyncio.Task[Answer]
    waiting: int = 0


class Shared:
    """Questions that are being answered, by what they ask."""

    def __init__(self) -> None:
        self._questions: dict[Hashable, _Question[Any]] = {}

    async def ask(self, key: Hashable, find_out: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer. Who gives up ends nothing for the others; when the last one does, the question is dropped."""
        question: _Question[Answer] | None = self._questions.get(key)
        if question is None:
            question = self._questions[key] = _Question(asyncio.create_task(self._answer(key, find_out)))
            question.task.add_done_callback(retrieved)
        question.waiting += 1
        try:
            return await asyncio.shield(question.task)
        finally:
            question.waiting -= 1
            if not question.waiting and not question.task.done():
                self._questions.pop(key, None)
                question.task.cancel()

    async def _answer(self, key: Hashable, find_out: Callable[[], Awaitable[Answer]]) -> Answer:
        """It leaves the list in the moment in which it knows: who asks afterwards asks anew."""
        try:
            return await find_out()
        finally:
            if (question := self._questions.get(key)) is not None and question.task is asyncio.current_task():
                del self._questions[key]

    async def close(self) -> None:
        """Drops every question."""
        tasks = [each.task for each in self._questions.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
