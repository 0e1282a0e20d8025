"""Making a backup, and restoring one."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aiokafka.errors import KafkaError

from services.backup.adapters import dump, groups, writing
from services.backup.adapters.cutting import Cut, cut
from services.backup.adapters.folder import Tell, begun, write_manifest
from services.backup.adapters.place import Place
from services.backup.adapters.reading import Keeper
from services.backup.decisions.manifest import Manifest
from services.kit.fault import Fault
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.kit.kafka.admin import admin_client


@dataclass(frozen=True)
class Installation:
    """What is kept, or restored into. A part that is None is left out."""

    kafka: KafkaSettings | None
    database: DatabaseSettings | None
    groups: Sequence[str]
    """The groups whose commits belong to it."""
    programs: Sequence[Path]
    """Folders in which PostgreSQL's programs are looked for, before the usual ones."""


async def make(installation: Installation, folder: Path, at: tuple[str, datetime], tell: Tell) -> tuple[Manifest, Cut]:
    """Keeps all of it in a new folder. `at` is Threadline's version, and now."""
    with begun(folder) as part:
        database = installation.database
        if database is not None:
            dump.owners(database)
        found, kept = Cut({}, (), ()), []
        if (kafka := installation.kafka) is not None:
            async with _reachable(kafka, "nothing was kept"):
                found = await cut(kafka, installation.groups)
                if not found.bounds:
                    raise Fault(
                        f"there is no topic of Threadline's at {kafka.kafka_brokers}; nothing was kept. "
                        "THREADLINE_TOPIC_PREFIX names another set of topics; --only postgres keeps the directory alone"
                    )
                total = sum(len(offsets) for offsets in found.bounds.values())
                kept = await Keeper(part, total, tell).keep(kafka, found.bounds)
        # Behind the cut, so that every revision that a decision names is in it.
        directory = await dump.keep(database, part, installation.programs) if database is not None else None
        version, now = at
        manifest = Manifest(
            threadline=version, made_at=now, partitions=tuple(kept), commits=found.commits, database=directory
        )
        write_manifest(part, manifest)
    return manifest, found


async def restore(installation: Installation, folder: Path, manifest: Manifest, tell: Tell, *, anew: bool) -> None:
    """Restores a backup that was checked, into what is empty. What is refused is refused before anything is changed."""
    target = None
    if (database := installation.database) is not None and manifest.database is not None:
        target = dump.Target(database, manifest.database, installation.programs)
        await target.look()
    if (kafka := installation.kafka) is None or not manifest.partitions:
        if target is not None:
            await target.restore(folder)
        return
    async with _reachable(kafka, "the backup is as it was; --anew begins anew"), admin_client(kafka) as client:
        place = Place(client, kafka, manifest)
        await groups.must_be_empty(client, kafka, installation.groups)
        if (there := await place.look(anew=anew)) is not None:
            await place.make()
            async with writing.producer_of(kafka) as producer:
                begins = await writing.Putter(producer, kafka, there, tell).put(folder, manifest)
            await writing.delete_fillers(client, begins)
        await groups.commit(kafka, manifest.commits)
        if target is not None:
            await target.restore(folder)
        await place.finish()


@asynccontextmanager
async def _reachable(settings: KafkaSettings, kept: str) -> AsyncIterator[None]:
    try:
        yield
    except (TimeoutError, KafkaError) as error:
        raise Fault(
            f"the cluster at {settings.kafka_brokers} does not answer as it should ({type(error).__name__}); {kept}. "
            "`threadline topics check` says how it stands"
        ) from error
