"""A task of a program with an event loop, which goes on while the task waits."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from threadline_agent.approval import Approval, Inquiry, Outcome, Question
from threadline_agent.notices import mishap
from threadline_agent.reporting import Reporter, asked

ANSWER_S = 10.0


class AgentContext(Reporter):
    """A supervised task, within `async with agent_task(...)`."""

    async def request_approval(
        self,
        action: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        choices: Sequence[str] | None = None,
        timeout: float = 3600.0,  # noqa: ASYNC109 - it is told to people, too: until then they can answer
    ) -> Approval:
        """Asks people whether something may be done, and waits for their answer.

        Raises TypeError or ValueError where it cannot be asked as it is: arguments that are no JSON, too long a text.
        """
        return await self._wait_for(Question.made(action, arguments, choices, timeout))

    async def ask(self, question: str, *, timeout: float = 3600.0) -> Approval:  # noqa: ASYNC109 - likewise
        """Asks people something, and waits. `answer` is what they wrote, or nothing where nobody did."""
        return await self._wait_for(asked(question, timeout))

    async def until_cancelled(self) -> None:
        """Waits until somebody wants the task to end."""
        await self._wait_until(lambda: self.cancelled)

    async def until_resumed(self) -> None:
        """Waits while somebody wants the task to wait. A cancel ends that, too."""
        await self._wait_until(lambda: not self.paused or self.cancelled)

    async def _wait_until(self, holds: Callable[[], bool]) -> None:
        import asyncio  # noqa: PLC0415 - whoever awaits this has imported it already; others never need it

        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            """Called in the thread that hears of orders."""
            if not loop.is_closed():
                loop.call_soon_threadsafe(changed.set)

        stop = self._orders.listen(wake)
        try:
            while not holds():
                await changed.wait()
                changed.clear()
        finally:
            stop()

    async def _wait_for(self, question: Question) -> Approval:
        import asyncio  # noqa: PLC0415 - likewise

        inquiry = self._inquire(question)
        if isinstance(inquiry, Approval):
            return inquiry
        poll = asyncio.ensure_future(self._poll(inquiry))
        cancel = asyncio.ensure_future(self.until_cancelled())
        try:
            await asyncio.wait({poll, cancel}, return_when=asyncio.FIRST_COMPLETED)
            if poll.done():
                return poll.result()
            return question.ended(Outcome.CANCELLED, "the task was cancelled")
        except Exception:  # noqa: BLE001 - whatever it is, nobody said yes
            mishap("waiting for an approval")
            return question.ended(Outcome.UNAVAILABLE, "waiting for the answer failed")
        finally:
            poll.cancel()
            cancel.cancel()

    async def _poll(self, inquiry: Inquiry) -> Approval:
        import asyncio  # noqa: PLC0415 - likewise

        from threadline_agent.exchange import Request, Unreachable, ask  # noqa: PLC0415 - it takes its time

        address, settings = self._line.address, self._line.settings
        assert address is not None  # noqa: S101 - without one nothing is asked
        while (end := inquiry.over()) is None:
            path, wait = inquiry.path()
            try:
                request = Request("GET", path, settings.secret() or "")
                heard = inquiry.hear(await ask(address, request, wait + ANSWER_S))
            except Unreachable:
                heard = inquiry.pause()
            if isinstance(heard, Approval):
                return heard
            await asyncio.sleep(heard)
        return end
