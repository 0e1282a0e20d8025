"""What the local stack is made of, in the order in which it starts."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from services.kit.kafka.admin import admin_client, cluster_of, create, declared_on, differences, live_topics
from services.local import kafka, ports, postgres
from services.local.home import Home, LocalFault, LocalSettings
from services.local.program import Program

PARTS = (postgres.NAME, kafka.NAME)


def programs(
    settings: LocalSettings, home: Home, only: Sequence[str], classpath: Callable[[], list[Path]]
) -> list[Program]:
    """The programs to run; `only` names some of the parts."""
    unknown = sorted(set(only) - set(PARTS))
    if unknown:
        raise LocalFault(f"there is no part {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    taken: set[int] = set()
    choose = partial(ports.choose, ports_file=home.ports_file, taken=taken)
    found = []
    if not only or postgres.NAME in only:
        database = postgres.Database(home, choose("postgres", settings.local_postgres_port))
        found.append(database.program())
    if not only or kafka.NAME in only:
        broker = kafka.Broker(
            home, tuple(classpath()), choose("kafka", settings.local_kafka_port), choose("controller", 0)
        )
        found.append(broker.program(once_ready=partial(make_topics, broker)))
    return found


async def make_topics(broker: kafka.Broker) -> None:
    """Makes the declared topics that are missing; a difference is a fault, since keyed state depends on them."""
    async with admin_client(broker.settings) as client:
        cluster = await cluster_of(client, broker.settings)
        declared = declared_on(cluster)
        live = await live_topics(client, [topic.name for topic in declared])
        found = [str(each) for topic in declared if topic.name in live for each in differences(topic, live[topic.name])]
        if found:
            raise LocalFault("the broker's topics are not as declared: " + "; ".join(found))
        await create(client, [topic for topic in declared if topic.name not in live])
