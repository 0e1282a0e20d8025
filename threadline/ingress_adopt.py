"""Adopting a spool whose process is gone for good."""

from services.ingress.settings import IngressSettings
from services.kit.fault import Fault


class NotAdopted(Fault):
    """The spool is not there, or not empty yet."""


async def adopted(settings: IngressSettings, number: int) -> int:
    """Writes what waits in it to the broker. Gives how many records those were."""
    from opentelemetry.trace import NoOpTracer  # noqa: PLC0415 - only this command needs it all

    from services.ingress.adapters.broker import Broker  # noqa: PLC0415
    from services.ingress.adapters.intake import Intake  # noqa: PLC0415
    from services.ingress.adapters.spools import Spools  # noqa: PLC0415
    from services.kit.clock import SystemClock  # noqa: PLC0415
    from services.kit.telemetry.emitter import NoEmitter  # noqa: PLC0415
    from services.kit.telemetry.instruments import Instruments  # noqa: PLC0415

    spools = Spools(settings.spool_folder, settings.spool_size)
    if not spools.exists(number):
        what = f"there is no spool {number} in {settings.spool_folder}"
        raise NotAdopted(f"{what}; `threadline ingress spools` lists them")
    instruments = Instruments(SystemClock(), NoEmitter(), NoOpTracer())
    spool = spools.open(number)
    waiting = spool.records
    async with Intake(spool, Broker(settings, instruments), instruments, settings.ingress_broker_patience_s) as intake:
        if not await intake.ready(settings.ingress_drain_first_s):
            raise NotAdopted(
                f"the broker did not take everything within {settings.ingress_drain_first_s:g} s: {spool.records} of "
                f"{waiting} records still wait in the spool. Is {settings.kafka_brokers} there?"
            )
    return waiting
