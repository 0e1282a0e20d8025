"""The router's own decisions in a plain aiokafka loop: consume, decide, produce, commit. The limit for this client.

It survives nothing: no journal is read, nothing waits for a row. Run as `python -m bench.peers.plain_router`.
"""

import asyncio
import logging
import sys
from dataclasses import dataclass
from typing import Any, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from opentelemetry.trace import NoOpTracer

from bench.beds.traffic import Traffic
from services.directory.holding import Known
from services.kit.clock import SystemClock
from services.kit.settings import variable
from services.kit.telemetry.emitter import NoEmitter
from services.kit.telemetry.instruments import Instruments
from services.router.adapters.decider import InboundDecider
from services.router.adapters.tenants import Tenants
from services.router.decisions.letters import Bound
from services.router.stream.deciding import Plan, Source
from services.router.stream.memory import Memory


@dataclass
class PlainDirectory:
    """Knows everybody."""

    known_by: dict[str, Known]

    def known(self, workspace: str) -> Known:
        """Whose it is."""
        return self.known_by[workspace]


def directory() -> PlainDirectory:
    """The tenants of the bench's traffic."""
    tenants = Traffic(7).document().tenants
    facts = [each.standing() for each in tenants]
    return PlainDirectory({each.connections[0].workspace: Known(1, each) for each in facts})


async def main() -> None:
    """Runs until it is ended."""
    broker, prefix = (variable(f"PEER_{name}") or "" for name in ("BROKER", "PREFIX"))
    instruments = Instruments(SystemClock(), NoEmitter(), NoOpTracer())
    decider = InboundDecider(cast("Any", directory()), Tenants(30), Bound(100, 100), instruments)
    memories: dict[int, Memory] = {}
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    consumer = AIOKafkaConsumer(
        f"{prefix}slack.inbound",
        bootstrap_servers=broker,
        group_id=f"{prefix}plain",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all", enable_idempotence=True)
    await consumer.start()
    await producer.start()
    while True:
        sent = []
        for tp, records in (await consumer.getmany(timeout_ms=500, max_records=1000)).items():
            memory = memories.setdefault(tp.partition, Memory())
            for raw in records:
                source = Source(raw.partition, raw.offset, raw.key, raw.value, raw.headers, raw.timestamp / 1000)
                opened = decider.open(source)
                _ = decider.missing(opened)
                plan = decider.decide(opened, source, memory, max(memory.clock, opened.at))
                if not isinstance(plan, Plan):
                    raise TypeError("nothing of it is halted")
                memory.keep(source.offset, plan.row)
                sent.append(
                    await producer.send(f"{prefix}router.journal", plan.kept, str(raw.offset).encode(), raw.partition)
                )
                for each in plan.out:
                    key = each.key.encode() if isinstance(each.key, str) else each.key
                    name = f"{prefix}{each.topic.name}"
                    sent.append(await producer.send(name, each.value, key, headers=list(each.headers)))
        if sent:
            await asyncio.gather(*sent)
            await consumer.commit()


if __name__ == "__main__":
    asyncio.run(main())
    sys.exit(0)
