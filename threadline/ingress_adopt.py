"""Adopting a spool whose process is gone for good."""

from services.ingress.settings import IngressSettings
from services.kit.fault import Fault


class NotAdopted(Fault):
    """The spool is not there, or not empty yet."""


async def adopted(settings: IngressSettings, name: str) -> int:
    """Writes what waits in it to the broker. Gives how many records those were."""
    from opentelemetry.trace import NoOpTracer  # noqa: PLC0415 - only this command needs it all

    from schemas.topics import DEAD_LETTERS, SLACK_INBOUND  # noqa: PLC0415
    from services.ingress.adapters.broker import Broker  # noqa: PLC0415
    from services.ingress.adapters.intake import Intake  # noqa: PLC0415
    from services.ingress.adapters.spools import Spools  # noqa: PLC0415
    from services.kit.clock import SystemClock  # noqa: PLC0415
    from services.kit.telemetry.emitter import NoEmitter  # noqa: PLC0415
    from services.kit.telemetry.instruments import Instruments  # noqa: PLC0415

    spools = Spools(settings.spool_folder, settings.topic_prefix, settings.spool_size)
    if name not in {each.name for each in spools.all()}:
        raise NotAdopted(f"there is no {name} in {spools.folder}; `threadline ingress spools` lists them")
    instruments = Instruments(SystemClock(), NoEmitter(), NoOpTracer())
    spool = spools.open(name)
    waiting = spool.records
    topic = DEAD_LETTERS if name.startswith("letters") else SLACK_INBOUND
    patience_s = settings.ingress_broker_patience_s
    async with Intake(topic, spool, Broker(settings, instruments), instruments, patience_s) as intake:
        if not await intake.ready(settings.ingress_drain_first_s):
            raise NotAdopted(
                f"the broker did not take everything within {settings.ingress_drain_first_s:g} s: {spool.records} of "
                f"{waiting} records still wait in {name}. Is {settings.kafka_brokers} there?"
            )
    if spool.set_aside:
        raise NotAdopted(
            f"{name} is damaged, and was set aside in {spools.folder}: not all of its {waiting} records were written. "
            "Keep the file; `sqlite3 FILE .recover` may read it"
        )
    return waiting
