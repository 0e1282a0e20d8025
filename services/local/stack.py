"""What the local stack is made of."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from services.kit.kafka.admin import admin_client, create, standing_of
from services.local import kafka, ports, postgres
from services.local.home import Home, LocalFault, LocalSettings
from services.local.program import Program
from services.local.supervisor import Say

PARTS = (postgres.NAME, kafka.NAME)


def programs(
    settings: LocalSettings, home: Home, only: Sequence[str], classpath: Sequence[Path], say: Say
) -> list[Program]:
    """The programs to run; `only` names some of the parts."""
    refuse_strangers(only)
    taken: set[int] = set()
    choose = partial(ports.choose, ports_file=home.ports_file, taken=taken)
    found = []
    if not only or postgres.NAME in only:
        database = postgres.Database(home, choose("postgres", settings.local_postgres_port))
        found.append(database.program(once_ready=partial(make_tables, database)))
    if not only or kafka.NAME in only:
        at = choose("kafka", settings.local_kafka_port), choose("controller", 0)
        broker = kafka.Broker(home, tuple(classpath), *at)
        found.append(broker.program(once_ready=partial(make_topics, broker, say)))
    return found


def refuse_strangers(only: Sequence[str]) -> None:
    """A part that does not exist is a mistake, and not nothing."""
    unknown = sorted(set(only) - set(PARTS))
    if unknown:
        raise LocalFault(f"there is no part {', '.join(unknown)}; the parts are {', '.join(PARTS)}")


async def make_tables(database: postgres.Database) -> None:
    """Brings the directory's tables to what this version needs."""
    # Imported when the programs have been started: it takes as long as one of them does.
    from services.directory.migrations import migrate  # noqa: PLC0415
    from services.directory.owner import owner_database  # noqa: PLC0415

    settings = database.settings()
    async with owner_database(settings) as owner:
        await migrate(owner, settings.database_url)


async def make_topics(broker: kafka.Broker, say: Say) -> None:
    """Makes the declared topics that are missing. Another partition count is a fault: keyed state depends on it."""
    settings = kafka.settings_at(broker.address)
    async with admin_client(settings) as client:
        standing = await standing_of(client, settings)
        found = [each for _, _, differences in standing.differences for each in differences]
        fixed = [str(each) for each in found if not each.can_be_altered]
        if fixed:
            raise LocalFault("the broker's topics are not as declared: " + "; ".join(fixed))
        for difference in found:
            say(kafka.NAME, f"{difference}; `threadline topics apply --alter` changes it")
        await create(client, standing.missing)
