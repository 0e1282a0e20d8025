"""Bugs that are planted on purpose, each into one service: what they break, some check must find.

`python -m bench.chaos.planted BUG` is that service with the bug in it. A bug takes the place of one function, so that a
function which is renamed or moved fails loudly, and not the search.
"""

import asyncio
import random
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import count
from typing import Any, Final

GRANTS_MORE: Final = 3
ONE_IN: Final = 3


@dataclass(frozen=True)
class Bug:
    """One of them."""

    service: str
    what: str
    scenario: str
    """In which it must be found."""
    checks: frozenset[str]
    """By at least one of these."""
    plant: Callable[[], None]


def _replace(owner: Any, name: str, made: Callable[[Any], Any]) -> None:
    setattr(owner, name, made(getattr(owner, name)))


def _acknowledges_early() -> None:
    from services.ingress.adapters.entry import Kept  # noqa: PLC0415 - only in the process that has the bug
    from services.ingress.adapters.intake import Intake  # noqa: PLC0415

    def early(take: Any) -> Any:
        def taken(self: Intake, record: Any) -> "asyncio.Future[Kept]":
            loop = asyncio.get_running_loop()
            loop.call_later(1.5, take, self, record)
            said: asyncio.Future[Kept] = loop.create_future()
            said.set_result("broker")
            return said

        return taken

    _replace(Intake, "take", early)


def _has_no_spool() -> None:
    from services.ingress.adapters.aside import Aside  # noqa: PLC0415

    def nowhere(_: Any) -> Any:
        return lambda *_: None

    _replace(Aside, "put", nowhere)


def _has_no_memory() -> None:
    from services.router.decisions import idempotency  # noqa: PLC0415

    _replace(idempotency, "seen_event", lambda _: lambda *_: None)
    _replace(idempotency, "seen_cause", lambda _: lambda *_: None)


def _forgets_decisions() -> None:
    from services.router.adapters import decider  # noqa: PLC0415
    from services.router.decisions.outcome import Outcome  # noqa: PLC0415

    numbers = count()

    def forgetful(decide: Any) -> Any:
        def decided(event: Any, facts: Any, now: Any) -> Outcome:
            outcome: Outcome = decide(event, facts, now)
            return replace(outcome, changes=()) if next(numbers) % ONE_IN == 0 else outcome

        return decided

    _replace(decider, "decide", forgetful)


def _names_runs_anew() -> None:
    from services.router.decisions import dispatch  # noqa: PLC0415

    _replace(dispatch, "run_id", lambda _: lambda *_: str(uuid.UUID(int=random.getrandbits(128))))


def _grants_more() -> None:
    from services.router.adapters import tenants  # noqa: PLC0415

    def generous(limits: Any) -> Any:
        def more(*arguments: Any) -> Any:
            for limit in limits(*arguments):
                yield replace(limit, capacity=limit.capacity * GRANTS_MORE)

        return more

    _replace(tenants, "_limits", generous)


def _loses_commands() -> None:
    from services.responder.adapters.runs import Runs  # noqa: PLC0415

    numbers = count()

    def careless(take: Any) -> Any:
        def taken(self: Runs, run: Any, done: Callable[[], None]) -> None:
            if next(numbers) % ONE_IN == 0:
                done()
            else:
                take(self, run, done)

        return taken

    _replace(Runs, "take", careless)


def _commits_what_it_reads() -> None:
    from services.responder.decisions.watermark import Watermark  # noqa: PLC0415

    Watermark.at = property(lambda self: self.next)  # type: ignore[assignment, method-assign]


def _finds_nothing() -> None:
    from services.responder.adapters.ledger import Ledger  # noqa: PLC0415

    async def nothing(*_: Any) -> list[str]:
        return []

    _replace(Ledger, "_found", lambda _: nothing)


def _hears_no_stop() -> None:
    from services.responder.adapters.runs import Runs  # noqa: PLC0415

    _replace(Runs, "hear", lambda _: lambda *_: None)


def _forgets_the_order() -> None:
    from services.responder.decisions.starting import Starting  # noqa: PLC0415

    def each_alone(add: Any) -> Any:
        return lambda self, tenant, _, run: add(self, tenant, str(id(run)), run)

    _replace(Starting, "add", each_alone)


def _speaks_elsewhere() -> None:
    from services.responder.adapters.ledger import Ledger  # noqa: PLC0415

    def astray(send: Any) -> Any:
        async def sent(self: Any, subject: Any, client: Any, method: str, arguments: Mapping[str, Any]) -> Any:
            told = {name: value for name, value in arguments.items() if name != "thread_ts" or random.random() < 0.7}  # noqa: S311, PLR2004 - a bug
            return await send(self, subject, client, method, told)

        return sent

    _replace(Ledger, "_send", astray)


def _tells_its_token() -> None:
    from services.responder.adapters.slack import Slack  # noqa: PLC0415

    def loud(read: Any) -> Any:
        async def told(self: Any, workspace: Any) -> str:
            token: str = await read(self, workspace)
            sys.stderr.write(f"the token is {token}\n")  # a logger would mask it
            return token

        return told

    _replace(Slack, "_read_token", loud)


BUGS: Final[Mapping[str, Bug]] = {
    "acknowledges_early": Bug(
        "ingress",
        "acknowledges events that it has only in memory",
        "ingress: killed, talking",
        frozenset({"acknowledged, and not on the log"}),
        _acknowledges_early,
    ),
    "has_no_spool": Bug(
        "ingress",
        "keeps nothing while the broker is away",
        "ingress: its link to Kafka cut, talking",
        frozenset({"no acks"}),
        _has_no_spool,
    ),
    "has_no_memory": Bug(
        "router",
        "takes whatever comes again for something new",
        "slack: every second acknowledgement lost, talking",
        frozenset({"decided otherwise than without faults"}),
        _has_no_memory,
    ),
    "forgets_decisions": Bug(
        "router",
        "forgets what one decision in three changed",
        "router: killed, talking",
        frozenset({"decided otherwise than without faults"}),
        _forgets_decisions,
    ),
    "names_runs_anew": Bug(
        "router",
        "gives a run another name each time that it decides",
        "router: killed, talking",
        frozenset(
            {"runs that nobody asked for", "repeats of decisions that differ", "decided otherwise than without faults"}
        ),
        _names_runs_anew,
    ),
    "grants_more": Bug(
        "router",
        "lets a bucket hold three times what it may",
        "router: killed, talking",
        frozenset({"granted over the limit"}),
        _grants_more,
    ),
    "loses_commands": Bug(
        "responder",
        "forgets one command in three",
        "responder: killed, answering",
        frozenset({"runs without a visible reply"}),
        _loses_commands,
    ),
    "commits_what_it_reads": Bug(
        "responder",
        "commits what it has only read",
        "responder: killed, answering",
        frozenset({"commits past what was not done", "runs without a visible reply"}),
        _commits_what_it_reads,
    ),
    "finds_nothing": Bug(
        "responder",
        "finds none of its messages in Slack",
        "slack: calls done, and the connection cut, answering",
        frozenset({"runs with more than one", "look-ups that left spares"}),
        _finds_nothing,
    ),
    "hears_no_stop": Bug(
        "responder",
        "ends nothing that is to stop",
        "slack: slow, answering",
        frozenset({"stops that nobody heard"}),
        _hears_no_stop,
    ),
    "forgets_the_order": Bug(
        "responder",
        "answers a thread's questions as they come",
        "slack: slow, answering",
        frozenset({"replies out of their thread's order", "models shown other threads"}),
        _forgets_the_order,
    ),
    "speaks_elsewhere": Bug(
        "responder",
        "says some of it outside the thread",
        "slack: slow, answering",
        frozenset({"effects in another place"}),
        _speaks_elsewhere,
    ),
    "tells_its_token": Bug(
        "responder",
        "writes a token where no log masks it",
        "responder: killed, quiet",
        frozenset({"secrets on topics or in logs"}),
        _tells_its_token,
    ),
}


def main() -> int:
    """Becomes the service, with the bug in it."""
    bug = BUGS[sys.argv[1]]
    bug.plant()
    code: int = import_module(f"services.{bug.service}.__main__").main()
    return code


if __name__ == "__main__":
    sys.exit(main())
