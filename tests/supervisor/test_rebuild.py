"""The tables made anew from the topic are what they were, to the last byte, and where an event stands already, too."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from bench.beds.answered import entries
from bench.beds.router import describe
from bench.supervising.past import past, put
from bench.supervising.rebuilding import dumps
from schemas.agent import TaskArtifact, TaskCheckpoint, TaskEnded, TaskHome, TaskStarted
from schemas.topics import AGENTS_EVENTS
from services.directory.document import Document
from services.directory.service import bind, service_database
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.supervisor.adapters import partitions, projections
from services.supervisor.adapters.comparing import spent_today
from services.supervisor.adapters.partitions import Heard
from services.supervisor.adapters.queries import Queries
from services.supervisor.adapters.rebuilding import Rebuilt, rebuild
from services.supervisor.decisions.keeping import KEPT, Keeping
from services.supervisor.decisions.projecting import Projection, keys_of
from tests.databases import connected

TENANTS = [f"tenant-{number}" for number in range(3)]
BEGAN = datetime(2026, 3, 2, tzinfo=UTC)
KEEPING = Keeping(KEPT, BEGAN)


async def folded(kafka: KafkaSettings, database: DatabaseSettings) -> dict[int, list[Heard]]:
    """All of the topic, as a supervisor folds it, a few events at a time."""
    heard: dict[int, list[Heard]] = {}
    for each in await entries(kafka, AGENTS_EVENTS):
        event: Any = each.event
        heard.setdefault(each.partition, []).append(Heard(event, each.id, each.offset))
    async with service_database(database) as opened:
        for number, events in heard.items():
            partition = await partitions.load(opened, number, 0, KEEPING)
            for first in range(0, len(events), 50):
                batch = events[first : first + 50]
                await partitions.fetch_missing(opened, partition, keys_of(one.event for one in batch))
                for one in batch:
                    partitions.fold(partition, one)
                await partitions.write(opened, partition, batch[-1].offset + 1)
    return heard


async def test_what_is_made_anew_is_what_was_there(topics: KafkaSettings, database: DatabaseSettings) -> None:
    tenants = [{"id": each, "name": each} for each in TENANTS]
    await describe(database, Document.model_validate({"version": 1, "tenants": tenants}, strict=False))
    count = await put(topics, past(7, 40, [*TENANTS, "gone"], BEGAN - timedelta(days=1)))
    heard = await folded(topics, database)
    before = await dumps(database)
    told: list[Rebuilt] = []
    done = await rebuild(topics, database, KEEPING, lambda _, so_far: told.append(so_far))
    assert (done.events, done.tasks, done.of_nobody > 0) == (count, 30, True)
    assert done.partitions == len(told) == topics.topic_partitions
    assert await dumps(database) == before
    async with connected((database.database_owner_url or SecretStr("")).get_secret_value()) as connection:
        for number, events in heard.items():
            projection = Projection(number)
            for each in events:
                projection.take(each.event, each.id)
            changes = {name: each for name, each in projection.changes.items() if name in TENANTS}
            await projections.write_anew(connection, number, changes)
    assert await dumps(database) == before


async def test_a_program_whose_clock_is_wrong_spends_today_what_we_hear_of_today(database: DatabaseSettings) -> None:
    tenants = [{"id": TENANTS[0], "name": TENANTS[0]}]
    await describe(database, Document.model_validate({"version": 1, "tenants": tenants}, strict=False))
    said = TaskCheckpoint(
        at=BEGAN - timedelta(days=400),
        received_at=BEGAN + timedelta(hours=9),
        task_id="slow-clock",
        tenant_id=TENANTS[0],
        agent_id="deployer",
        home=TaskHome(connection="A1:T1", team_id="T1", channel="C1"),
        token_id="token",
        action="works",
        cost_usd=7.5,
    )
    async with service_database(database) as opened:
        partition = await partitions.load(opened, 0, 0, KEEPING)
        partitions.fold(partition, Heard(said, "event", 0))
        await partitions.write(opened, partition, 1)
        async with opened.for_nobody() as connection:
            await bind(connection, TENANTS[0])
            assert await spent_today(connection, BEGAN + timedelta(hours=10)) == {"deployer": 7.5}
            assert await spent_today(connection, BEGAN + timedelta(hours=34)) == {}


def lived(task_id: str, *events: tuple[type[Any], float, dict[str, Any]]) -> list[tuple[Any, str]]:
    """A task, each event so many days ago."""
    home = TaskHome(connection="A1:T1", team_id="T1", channel="C1")
    common = {"task_id": task_id, "tenant_id": TENANTS[0], "agent_id": "deployer", "home": home, "token_id": "token"}
    found: list[tuple[Any, str]] = []
    for number, (kind, days, more) in enumerate(events):
        at = BEGAN - timedelta(days=days)
        found.append((kind(at=at, received_at=at, **common, **more), f"{task_id}-{number}"))
    return found


async def test_a_number_of_days_costs_what_was_spent_in_them(topics: KafkaSettings, database: DatabaseSettings) -> None:
    tenants = [{"id": TENANTS[0], "name": TENANTS[0]}]
    await describe(database, Document.model_validate({"version": 1, "tenants": tenants}, strict=False))
    begun: dict[str, Any] = {"task_name": "Deploy", "context_size": 1000}
    step, end = {"action": "works", "cost_usd": 0.5}, {"status": "complete"}
    lives = [
        lived("long", (TaskStarted, 50, begun), (TaskCheckpoint, 50, step), (TaskCheckpoint, 2, step)),
        lived("quiet", (TaskStarted, 20, begun), (TaskCheckpoint, 20, step)),
        lived("over", (TaskStarted, 9, begun), (TaskCheckpoint, 9, step), (TaskEnded, 9, end)),
        lived("ended", (TaskStarted, 9, begun), (TaskCheckpoint, 9, step), (TaskEnded, 1, end)),
    ]
    await put(topics, iter([each for life in lives for each in life]))
    await folded(topics, database)
    async with service_database(database) as opened:
        found = await Queries(opened).summary(TENANTS[0], BEGAN - timedelta(days=7))
    (agent,) = found.agents
    named = ("agent_id", "tasks", "open", "complete", "cost_usd")
    assert [agent[each] for each in named] == ["deployer", 3, 2, 1, 0.5], "what goes on counts, however quiet it is"


async def test_what_is_over_for_long_goes_and_is_not_made_anew(
    topics: KafkaSettings, database: DatabaseSettings
) -> None:
    tenants = [{"id": TENANTS[0], "name": TENANTS[0]}]
    await describe(database, Document.model_validate({"version": 1, "tenants": tenants}, strict=False))
    begun: dict[str, Any] = {"task_name": "Deploy", "context_size": 1000}
    step = {"action": "works", "cost_usd": 0.5}
    whole: list[tuple[type[Any], dict[str, Any]]] = [
        (TaskStarted, begun),
        (TaskCheckpoint, step),
        (TaskArtifact, {"artifact": "file", "title": "out.txt"}),
        (TaskEnded, {"status": "complete"}),
    ]
    lives = [
        lived("old", *((kind, 100, more) for kind, more in whole)),
        lived("young", *((kind, 80, more) for kind, more in whole)),
        lived("goes-on", *((kind, 100, more) for kind, more in whole[:-1])),
        lived(
            "again", *((kind, 100, more) for kind, more in whole), (TaskStarted, 2, begun), (TaskCheckpoint, 1, step)
        ),
    ]
    await put(topics, iter(sorted((each for life in lives for each in life), key=lambda each: each[0].at)))
    await folded(topics, database)
    async with service_database(database) as opened:
        removed = [await partitions.remove_old(opened, each, KEEPING.before) for each in range(topics.topic_partitions)]
        async with opened.for_nobody() as connection:
            await bind(connection, TENANTS[0])
            tasks = await connection.fetch("select task_id from threadline.agent_tasks order by task_id")
            steps = await connection.fetch("select task_id from threadline.agent_checkpoints order by task_id")
            files = await connection.fetch("select task_id from threadline.task_artifacts order by task_id")
    assert sum(removed) == 1
    assert [each["task_id"] for each in tasks] == ["again", "goes-on", "young"]
    assert [each["task_id"] for each in steps] == ["again", "goes-on", "young"]
    assert [each["task_id"] for each in files] == ["goes-on", "young"]
    before = await dumps(database)
    await rebuild(topics, database, KEEPING, lambda _number, _so_far: None)
    assert await dumps(database) == before
