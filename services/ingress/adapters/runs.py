"""What became of programs' runs: follows the audit topics for as long as the gateway is open."""

import asyncio
import logging
from collections import OrderedDict
from datetime import datetime, timedelta

from aiokafka.errors import KafkaError

from schemas.base import Event
from schemas.decision import DecisionMade
from schemas.record import CannotRead, UnknownEvent
from schemas.run import RunState
from schemas.topics import AUDIT_DECISIONS, AUDIT_RUNS, Topic
from services.ingress.decisions.run_view import RunView, asked_for, with_decision, with_state
from services.kit.clock import Clock
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import onward, reader, record_of

log = logging.getLogger(__name__)

BACK = timedelta(hours=24)
"""How far back it looks when it starts."""
MOST = 50_000
PAUSE_S = 2.0


class Runs:
    """The last runs that programs asked for."""

    def __init__(self, settings: KafkaSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._views: OrderedDict[str, RunView] = OrderedDict()

    def accepted(self, run: str, tenant_id: str, at: datetime) -> None:
        """A request is durable, and nothing is decided yet."""
        self._keep(
            run, self._views.get(run) or RunView(run_id=run, tenant_id=tenant_id, state="accepted", at=at.isoformat())
        )

    def view(self, run: str, tenant_id: str) -> RunView | None:
        """A run of this tenant's."""
        found = self._views.get(run)
        return found if found is not None and found.tenant_id == tenant_id else None

    async def follow(self) -> None:
        """Reads until it is cancelled."""
        since = self._clock.now() - BACK
        async with asyncio.TaskGroup() as group:
            for topic in (AUDIT_DECISIONS, AUDIT_RUNS):
                group.create_task(self._follow(topic, since))

    async def _follow(self, topic: Topic, since: datetime) -> None:
        told = False
        while True:
            try:
                async with reader(self._settings, topic, since) as consumer:
                    told = False
                    async for raw in onward(consumer):
                        try:
                            _, event = record_of(raw, self._settings.topic_prefix).decode()
                        except CannotRead as error:
                            log.warning("a record of %s cannot be read, and is passed over: %s", topic.name, error)
                        else:
                            self._take(event)
            except (KafkaError, OSError, Fault) as error:
                if not told:
                    log.warning("%s cannot be followed (%s): what runs became is told late", topic.name, error)
                told = True
                await asyncio.sleep(PAUSE_S)

    def _take(self, event: Event | UnknownEvent) -> None:
        if isinstance(event, DecisionMade):
            run = asked_for(event.event_id, event.connection)
            self._keep(run, with_decision(self._views.get(run or ""), event))
        elif isinstance(event, RunState):
            self._keep(event.run_id, with_state(self._views.get(event.run_id or ""), event))

    def _keep(self, run: str | None, view: RunView | None) -> None:
        if run is None or view is None:
            return
        self._views[run] = view
        self._views.move_to_end(run)
        while len(self._views) > MOST:
            self._views.popitem(last=False)
