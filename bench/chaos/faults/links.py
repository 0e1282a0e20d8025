"""What is between two of them: cut, standing still, or losing answers."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from bench.beds.relay import Relay
from bench.chaos.faults.kind import FaultKind, Struck


def _link(does: Callable[[Relay], None]) -> Callable[[Struck], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def strikes(struck: Struck) -> AsyncIterator[None]:
        links = [struck.stage.links[who, struck.scenario.fault.told["to"]] for who in struck.services]
        for link in links:
            does(link)
        try:
            yield
        finally:
            for link in links:
                link.mend()

    return strikes


KINDS = {
    "link_cut": FaultKind(_link(Relay.cut)),
    "link_still": FaultKind(_link(Relay.stand_still)),
    "answers_lost": FaultKind(_link(Relay.lose_answers)),
}
