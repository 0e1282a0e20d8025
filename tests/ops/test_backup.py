"""Backup, wipe, restore: every record at its offset, the same report, nothing decided twice, and talk goes on."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition

from bench.beds.inbox import Inbox
from bench.beds.responder import Pipeline, environment_of, own_pipeline
from bench.beds.router import describe
from bench.beds.topics import delete_before
from schemas.lines import Kept
from schemas.topics import (
    AUDIT_DECISIONS,
    BY_NAME,
    ROUTER_JOURNAL,
    RUNS_COMMANDS,
    RUNS_STOPS,
    SLACK_INBOUND,
    TOPICS,
    Topic,
    settings_for,
)
from services.backup import app
from services.backup.adapters import dump, folder, programs, writing
from services.backup.adapters.cutting import bounds_of
from services.backup.adapters.folder import NoBackup
from services.backup.adapters.place import Place, _marked
from services.backup.decisions.manifest import Commit, Manifest
from services.directory.document import Document
from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.kit.kafka import admin
from services.kit.kafka.passage import passages
from services.kit.settings import as_environment
from services.local import postgres
from services.report.adapters import topics as report
from services.report.adapters.batch import Stretch
from services.report.decisions import composing
from services.report.decisions.gathering import Gathered
from services.report.decisions.names import Hashed
from services.slack_sim.app import slack_sim
from services.slack_sim.client import slack_sim_at
from services.slack_sim.settings import SlackSimSettings
from tests.commands import said
from tests.databases import SERVICE, Databases, connected
from tests.deciding import Deciding
from tests.responder.conftest import Talk, tenant, words_of
from tests.router.test_router import mentions
from tests.slack_sim.first import First
from threadline.catalogue import GROUPS
from threadline.reporting import AUDIT

GONE = 2
"""So many records at the beginning of each partition are deleted, as retention does it."""
BRIEF = {"THREADLINE_ROUTER_SESSION_S": "6", "THREADLINE_RESPONDER_SESSION_S": "6"}
"""Who is stopped counts as a member until then."""


def silent(*_: int) -> None:
    """Nobody looks on."""


class Site:
    """A cluster, a database, and commands there."""

    def __init__(self, kafka: KafkaSettings, database: DatabaseSettings, folder: Path) -> None:
        self.kafka, self.database, self._folder = kafka, database, folder

    async def run(self, *arguments: str, code: int = 0) -> str:
        """Runs `threadline …`; gives all that it says."""
        service, owner = self.database.database_url, self.database.database_owner_url
        assert service is not None
        assert owner is not None
        given = {
            "THREADLINE_HOME": str(self._folder / "home"),
            "DATABASE_URL": service.get_secret_value(),
            "THREADLINE_DATABASE_OWNER_URL": owner.get_secret_value(),
        }
        return await said(given | as_environment(self.kafka), self._folder, *arguments, code=code)

    async def keep(self, backup: Path) -> Manifest:
        """Makes a backup of the topics, in this process."""
        manifest, _ = await app.make(self._topics, backup, ("0.1.0", SystemClock().now()), silent)
        return manifest

    async def put_back(self, backup: Path, *, anew: bool = False) -> None:
        """Restores one."""
        await app.restore(self._topics, backup, folder.check(backup, silent), silent, anew=anew)

    @property
    def _topics(self) -> app.Installation:
        return app.Installation(self.kafka, None, GROUPS, ())

    @asynccontextmanager
    async def written(self, partition: int) -> AsyncIterator[None]:
        """Within it stands what a running ingress wrote to an empty partition of slack.inbound."""
        async with writing.producer_of(self.kafka) as producer:
            await producer.send_and_wait(f"{self.kafka.topic_prefix}{SLACK_INBOUND.name}", b"{}", partition=partition)
        yield
        await delete_before(self.kafka, SLACK_INBOUND, {partition: 1})

    async def mark(self, topic: Topic) -> None:
        """Only this one is as it is during a restore."""
        async with admin.admin_client(self.kafka) as client:
            declared = settings_for(topic, await admin.cluster_of(client, self.kafka))
            live = await admin.live_topics(client, [declared.name])
            await admin.alter(client, _marked(declared), live[declared.name])

    def report(self) -> str:
        """The baseline, as JSON."""
        gathered = Gathered()
        for batch in report.Topics(self.kafka, AUDIT, Stretch()).batches(silent):
            gathered.add(batch.events)
        made = composing.baseline_of(gathered, composing.Wanted(Hashed(b"k" * 32, kept=True)))
        assert made.log.events
        return made.model_dump_json()

    async def records(self) -> list[Kept]:
        """Everything on every topic."""
        found, bounds = [], await self.bounds()
        for topic in sorted({topic for (topic, _), offsets in bounds.items() if offsets}):
            found += await records_of(self.kafka, BY_NAME[topic], bounds)
        return found

    async def bounds(self) -> dict[tuple[str, int], range]:
        """Where each partition begins and ends; of a compacted one, how many rows it has."""
        found = await bounds_of(self.kafka, dict.fromkeys(BY_NAME, self.kafka.topic_partitions))
        return {
            place: range(len(offsets)) if place[0] == ROUTER_JOURNAL.name else offsets
            for place, offsets in found.items()
        }

    async def commits(self) -> dict[str, Any]:
        """Where the groups stand."""
        async with admin.admin_client(self.kafka) as client:
            return {
                group: await client.list_consumer_group_offsets(f"{self.kafka.topic_prefix}{group}") for group in GROUPS
            }

    async def rows(self) -> dict[str, list[Any]]:
        """Everything in the directory, and who may do what there."""
        owner = self.database.database_owner_url
        assert owner is not None
        async with connected(owner.get_secret_value()) as connection:
            names = await connection.fetch("select tablename from pg_tables where schemaname = 'threadline'")
            found = {
                name: await connection.fetch(f"select t::text from threadline.{name} t order by 1")
                for name in sorted(row[0] for row in names)
            }
            found["policies"] = await connection.fetch(
                "select tablename, policyname, permissive, cmd, qual, with_check from pg_policies order by 1, 2"
            )
            found["secured"] = await connection.fetch(
                "select relname, relrowsecurity, relacl::text from pg_class "
                "where relnamespace = 'threadline'::regnamespace and relkind = 'r' order by 1"
            )
        return found


async def records_of(kafka: KafkaSettings, topic: Topic, bounds: Mapping[tuple[str, int], range]) -> list[Kept]:
    found = []
    async with passages(kafka, topic) as reading:
        for partition in range(kafka.topic_partitions):
            passage = reading.read(partition, bounds[topic.name, partition])
            while batch := await passage.more():
                found += [
                    Kept(
                        *(topic.name, each.partition, each.offset, each.timestamp),
                        *(each.key, tuple(each.headers), each.value),
                    )
                    for each in batch
                ]
    return found


async def test_all_of_it_is_the_same_after_a_wipe_and_work_goes_on(
    topics: KafkaSettings, databases: Databases, tmp_path: Path
) -> None:
    async with (
        databases.new() as database,
        slack_sim(SlackSimSettings(slack_sim_port=0, slack_sim_seed="test")) as simulation,
        slack_sim_at(simulation.address) as sim,
    ):
        world = await sim.world()
        first = First.of(world)
        await describe(database, Document(version=1, tenants=(tenant(first),)))
        old, backup = Site(topics, database, tmp_path), str(tmp_path / "kept" / "today")
        inbox = Inbox(topics)

        def talk(pipeline: Pipeline, environment: dict[str, str]) -> Talk:
            return Talk(sim, first, pipeline, environment, topics)

        environment = environment_of(sim.api_url, world, topics, database) | BRIEF
        async with own_pipeline(tmp_path / "before", environment) as pipeline:
            talking = talk(pipeline, environment)
            threads = [await talking.mention(f"what is {number}?") for number in range(6)]
            for thread in threads:
                await talking.ended(await talking.answer(thread))
            await pipeline.router.until("threadline_router_lag", 0)
        await delete_before(topics, SLACK_INBOUND, await _ends_of_committed(old))
        decided = {(each.source_partition, each.source_offset): each for each in await _decisions(inbox)}
        await inbox.put_all(mentions(Deciding(), 3))

        told = await old.run("backup", "create", backup)
        assert "records of 12 topics and the directory at revision" in told
        checked, *before = await asyncio.gather(
            old.run("backup", "check", backup), asyncio.to_thread(old.report), old.records(), old.bounds(), old.rows()
        )
        assert "is whole" in checked
        commits = _one_less(tmp_path / "kept" / "today" / "manifest.json")
        assert any(before[2][SLACK_INBOUND.name, number].start for number in range(4)), "some of it was deleted"

        await wipe(topics)
        async with databases.new("template0") as empty:
            new = Site(topics, empty, tmp_path)
            await new.run("backup", "restore", backup)
            after = await asyncio.gather(asyncio.to_thread(new.report), new.records(), new.bounds(), new.rows())
            for found, there in zip(after, before, strict=True):
                assert found == there
            assert sorted(_commits(await new.commits(), topics), key=str) == sorted(commits, key=str)

            environment = environment_of(sim.api_url, world, topics, empty) | BRIEF
            async with own_pipeline(tmp_path / "after", environment) as pipeline:
                talking = talk(pipeline, environment)
                again = await talking.mention("and now?", thread=threads[0])
                assert words_of(await talking.answer(threads[0], after=again))
                await pipeline.router.until("threadline_router_lag", 0)
                made = await _decisions(inbox)
            places = [(each.source_partition, each.source_offset) for each in made]
            assert len(places) == len(set(places)), "nothing is decided twice"
            assert {place: each for place, each in zip(places, made, strict=True) if place in decided} == decided
            assert [each.decision.kind for each in made].count("unknown_workspace") == 3, "and nothing is left out"
            runs = [each.event.run_id for each in await inbox.found(RUNS_COMMANDS) if hasattr(each.event, "run_id")]
            assert len(runs) == len(set(runs)) == 7


async def _decisions(inbox: Inbox) -> list[Any]:
    return [each.event for each in await inbox.found(AUDIT_DECISIONS)]


def _commits(found: dict[str, Any], kafka: KafkaSettings) -> list[Commit]:
    return [
        Commit(group=group, topic=tp.topic.removeprefix(kafka.topic_prefix), partition=tp.partition, offset=at.offset)
        for group, those in found.items()
        for tp, at in those.items()
        if at.offset > 0
    ]


def _one_less(manifest: Path) -> list[Commit]:
    """The cut came before the router's last commit: it will meet what it has decided once more."""
    found = Manifest.model_validate_json(manifest.read_bytes())
    commits = [
        each.model_copy(update={"offset": each.offset - 1}) if each.group == "router" and each.offset else each
        for each in found.commits
    ]
    manifest.write_text(found.model_copy(update={"commits": tuple(commits)}).model_dump_json())
    return [each for each in commits if each.offset > 0]


async def _ends_of_committed(site: Site) -> dict[int, int]:
    """Of each partition that was read, all but the last record."""
    found = [each for each in _commits(await site.commits(), site.kafka) if each.group == "router"]
    return {each.partition: each.offset - 1 for each in found}


ODD = (
    (b"\xff\x00key", b"\xffno UTF-8", (("odd", b"\xff"), ("odd", b""), ("none", None))),
    (None, b"{}", ()),
    (b"key", None, ()),
    (b"", b"", ()),
    (None, None, (("ce_id", b"1"),)),
    (b"large", b"x" * 1_000_000, ()),
    (b"spaced", b'{"a":  1}', ()),
)


@pytest.fixture
async def odd(topics: KafkaSettings, database: DatabaseSettings, tmp_path: Path) -> Site:
    """Topics with whatever a record can be, the first of them deleted, and a topic of which all is."""
    async with writing.producer_of(topics) as producer:
        for name, count in ((SLACK_INBOUND.name, 3), (ROUTER_JOURNAL.name, 1), (RUNS_STOPS.name, 1)):
            row = writing.Row(producer, TopicPartition(f"{topics.topic_prefix}{name}", 1), 0)
            for _ in range(count):
                for key, value, headers in ODD:
                    await row.add(key or b"5", value, headers, 0)
            await row.end()
    await delete_before(topics, SLACK_INBOUND, {1: 9})
    await delete_before(topics, RUNS_STOPS, {1: len(ODD)})
    return Site(topics, database, tmp_path)


async def wipe(kafka: KafkaSettings) -> None:
    names = {f"{kafka.topic_prefix}{topic.name}" for topic in TOPICS}
    async with admin.admin_client(kafka) as client, asyncio.timeout(30):
        await client.delete_topics(sorted(names))
        while names & set(await client.list_topics()):  # noqa: ASYNC110 - the broker has no event to wait for
            await asyncio.sleep(0.05)


async def test_whatever_a_record_is_it_comes_back_and_a_restore_that_was_cut_off_is_begun_anew(
    odd: Site, tmp_path: Path
) -> None:
    backup = tmp_path / "kept"
    manifest = await odd.keep(backup)
    assert [path.stat().st_mode & 0o777 for path in (backup, *sorted(backup.iterdir()))] == [0o700, *[0o600] * 3]
    with pytest.raises(Fault, match="is there already"):
        await odd.keep(backup)
    before = await odd.records(), await odd.bounds()
    assert before[1][SLACK_INBOUND.name, 1] == range(9, 3 * len(ODD))
    assert before[1][RUNS_STOPS.name, 1] == range(len(ODD), len(ODD))

    await wipe(odd.kafka)
    async with admin.admin_client(odd.kafka) as client:  # as far as a restore that was killed in its midst
        await Place(client, odd.kafka, manifest).make()
        async with writing.producer_of(odd.kafka) as producer:
            await writing.Putter(producer, odd.kafka, {}, silent).put(backup, manifest)
    with pytest.raises(Fault, match="did not end"):
        await odd.put_back(backup)
    half = await odd.bounds()
    async with odd.written(2):
        with pytest.raises(Fault, match=r"slack\.inbound hold records newer .* offset 0 of slack\.inbound 2"):
            await odd.put_back(backup, anew=True)
        assert await odd.bounds() == half | {(SLACK_INBOUND.name, 2): range(1)}, "nothing was deleted"
    await odd.put_back(backup, anew=True)
    assert (await odd.records(), await odd.bounds()) == before

    await odd.mark(ROUTER_JOURNAL)  # as one that was killed while it took its marks away
    with pytest.raises(Fault, match="did not end"):
        await odd.put_back(backup)
    await odd.put_back(backup, anew=True)
    assert (await odd.records(), await odd.bounds()) == before
    async with admin.admin_client(odd.kafka) as client:
        standing = await admin.standing_of(client, odd.kafka)
    assert (standing.missing, standing.differences) == ([], [])
    with pytest.raises(Fault, match=r"slack\.inbound holds 12 records"):
        await odd.put_back(backup, anew=True)  # what is whole is not deleted
    await odd.mark(ROUTER_JOURNAL)
    async with odd.written(2):
        with pytest.raises(Fault, match="hold records newer"):
            await odd.put_back(backup, anew=True)
        assert await odd.bounds() == before[1] | {(SLACK_INBOUND.name, 2): range(1)}


async def test_a_backup_that_is_not_as_it_was_written_is_refused(odd: Site, tmp_path: Path) -> None:
    backup = tmp_path / "kept"
    await odd.keep(backup)
    lines, manifest = backup / f"{SLACK_INBOUND.name}-1.jsonl.gz", backup / "manifest.json"
    whole = lines.read_bytes()
    for harmed in (whole[:-9], whole[:40] + b"x" + whole[41:], b""):
        lines.write_bytes(harmed)
        with pytest.raises(NoBackup, match="is not as it was written"):
            folder.check(backup, silent)
    lines.unlink()
    with pytest.raises(NoBackup, match="is not whole"):
        folder.check(backup, silent)
    lines.write_bytes(whole)
    folder.check(backup, silent)
    manifest.write_bytes(manifest.read_bytes()[:100])
    with pytest.raises(NoBackup, match="is damaged"):
        folder.check(backup, silent)
    manifest.unlink()
    with pytest.raises(NoBackup, match="is no backup"):
        folder.check(backup, silent)


async def test_what_was_begun_and_not_finished_is_no_backup(odd: Site, tmp_path: Path) -> None:
    begun = tmp_path / ".kept.part"
    begun.mkdir()
    with pytest.raises(Fault, match="left it behind"):
        await odd.keep(tmp_path / "kept")
    nowhere = Site(odd.kafka.model_copy(update={"kafka_brokers": "127.0.0.1:1"}), odd.database, tmp_path)
    with pytest.raises(Fault, match="nothing was kept"):
        await nowhere.keep(tmp_path / "other")
    assert set(tmp_path.iterdir()) == {begun}  # noqa: ASYNC240 - there is nothing that would wait


async def test_what_postgres_refuses_is_told_with_how_things_stand(databases: Databases, tmp_path: Path) -> None:
    async with databases.new() as database:
        weak = DatabaseSettings(database_url=database.database_url, database_owner_url=database.database_url)
        with pytest.raises(Fault, match=r"(?s)pg_dump failed: .*\nNothing was kept"):
            await dump.keep(weak, tmp_path, postgres.programs())
        kept = await dump.keep(database, tmp_path, postgres.programs())

        async def restored(settings: DatabaseSettings) -> None:
            target = dump.Target(settings, kept, postgres.programs())
            await target.look()
            await target.restore(tmp_path)

        with pytest.raises(dump.Broken, match=r"must be owner .* The database is as it was"):
            await restored(weak)
        (tmp_path / dump.FILE).write_bytes(b"no dump")
        with pytest.raises(Fault, match=r"(?s)pg_restore failed: .*was dropped before, with its tables"):
            await restored(database)
        assert database.database_owner_url is not None
        async with connected(database.database_owner_url.get_secret_value()) as connection:
            await connection.execute(
                "create schema threadline; create table threadline.alembic_version (); "
                "create table threadline.revisions (revision int)"
            )
            await connection.execute(f"grant usage on schema threadline to {SERVICE}")
        with pytest.raises(dump.Broken, match=r"permission denied .* Nothing was kept"):
            await dump.keep(weak, tmp_path, postgres.programs())


async def test_a_program_of_postgres_that_is_too_old_is_named(tmp_path: Path) -> None:
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    program.chmod(0o700)
    with pytest.raises(programs.NoProgram, match=rf"of PostgreSQL 99 or newer is needed, and there is 9 at {program}"):
        await programs.fitting("pg_dump", 99, [tmp_path])
    assert await programs.fitting("pg_dump", 9, [tmp_path]) == (program, 9)
