"""Kafka: whether a cluster answers, and whether its topics are as declared."""

from aiokafka.errors import KafkaError

from services.kit.fault import Fault
from services.kit.kafka import admin
from threadline.checkup.finding import Finding, fine, wrong
from threadline.running import kafka_settings

SUBJECT = "kafka"


async def look() -> list[Finding]:
    """The cluster, then its topics."""
    settings = kafka_settings()
    try:
        async with admin.admin_client(settings) as client:
            standing = await admin.standing_of(client, settings)
    except (KafkaError, OSError) as error:
        start = "`threadline local start` starts one here; THREADLINE_KAFKA_BROKERS names another"
        return [wrong(SUBJECT, f"no cluster answers at {settings.kafka_brokers} ({type(error).__name__})", start)]
    except Fault as fault:
        return [wrong(SUBJECT, str(fault), "`threadline topics check`")]
    found = [fine(SUBJECT, f"{standing.cluster} answers")]
    if standing.missing:
        names = ", ".join(topic.name for topic in standing.missing)
        found.append(wrong("topics", f"missing: {names}", "`threadline topics apply`"))
    for _, _, differences in standing.differences:
        for each in differences:
            mend = "`threadline topics apply --alter`" if each.can_be_altered else "`threadline topics check` says more"
            found.append(wrong("topics", str(each), mend))
    if len(found) == 1:
        found.append(fine("topics", f"{len(standing.declared)} are as declared"))
    return found
