"""`threadline replay`: the same directory gives the same decisions; another, exactly what it changes."""

import asyncio
import json
import shutil
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from bench.beds.database_link import database_link
from bench.beds.decided_log import put_decided
from bench.beds.inbox import Inbox
from bench.beds.router import router_environment
from bench.beds.traffic import Traffic
from schemas.decision import DecisionMade, Ignored
from schemas.topics import SLACK_INBOUND
from services.directory.apply import How, apply
from services.directory.document import Document, TenantFacts
from services.directory.forgetting import forget
from services.directory.owner import owner_database
from services.kit.clock import SystemClock
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.kit.kafka.admin import admin_client
from services.kit.kafka.passage import passages
from services.kit.settings import child_environment
from services.router.replay.difference import Difference
from services.router.replay.differences import IN_MEMORY, Differences
from services.router.replay.directories import Directories, Directory
from services.router.replay.replay import Stretch, Under, replay
from tests.commands import Command
from tests.deciding import Deciding
from tests.router.conftest import Runs
from tests.router.test_router import mentions
from tests.samples import event_callback
from tests.terminal import Terminal

ROOT = Path(__file__).parents[2]
PER_MINUTE = 30
SINCE_EVER = datetime(2000, 1, 1, tzinfo=UTC)

LIMITED = """
version: 1
tenants:
  - id: acme
    name: Acme
    connections: [{workspace: T1}]
    installations: [{app: A1, workspace: T1, bot_user: UBOT}]
    agents: [{id: mara, name: Mara, default: true}]
"""


def chatter(router: Deciding, *texts: str) -> list[Any]:
    """What people say to each other."""
    made = []
    for text in texts:
        router.number += 1
        ts = router.ts()
        said = {"type": "message", "user": "U1", "text": text, "ts": ts, "channel": "C1", "channel_type": "channel"}
        payload = event_callback({**said, "event_ts": ts}, event_id=f"Ev{router.number}", team_id="T1")
        made.append(router.envelope("events_api", payload))
    return made


async def replayed(threadline: Command, *arguments: str, code: int = 0) -> dict[str, Any]:
    """What it tells machines."""
    found: dict[str, Any] = json.loads(await threadline("replay", "--format", "json", *arguments, code=code))
    return found


async def test_under_the_same_directory_nothing_is_otherwise(routers: Runs, inbox: Inbox, threadline: Command) -> None:
    router = Deciding()
    made = [*mentions(router, 40), *chatter(router, "is the build down?", "good morning")]
    async with routers():
        await inbox.put_all(made)
        await inbox.decisions()
        since = SystemClock().now().isoformat()
        await inbox.put_all([*made[:20], *mentions(router, 5)])
        await inbox.decisions()
    found = await replayed(threadline, "--diff")
    assert (found["decided"], found["warmed_up"], found["differences"]) == (67, 0, [])
    rest = await replayed(threadline, "--from", since, "--diff")
    assert (rest["decided"], rest["warmed_up"], rest["warmed_up_otherwise"]) == (25, 42, 0)
    assert rest["differences"] == [], "duplicates and the limit rest on what was before the stretch"
    assert "67 decisions were taken again, 0 of them otherwise" in await threadline("replay")
    assert "nothing was read" in await threadline("replay", "--from", "1h", "--to", "2h", code=1)


async def test_what_was_decided_for_a_tenant_that_is_forgotten_is_counted_and_no_difference(
    routers: Runs, inbox: Inbox, threadline: Command, database: DatabaseSettings
) -> None:
    router = Deciding()
    async with routers():
        await inbox.put_all([*mentions(router, 3), *chatter(router, "is the build down?")])
        await inbox.decisions()
    async with owner_database(database) as owner:
        await apply(owner, Document(version=1, tenants=()), How("a test", prune=True))
        await forget(owner, "acme")
    found = await replayed(threadline, "--diff")
    assert (found["decided"], found["forgotten"], found["differences"]) == (0, 4, [])
    assert "4 records are of tenants that the directory has forgotten" in await threadline("replay")


async def test_another_limit_another_agent_and_a_rule_show_what_they_change(
    routers: Runs, inbox: Inbox, threadline: Command, tmp_path: Path
) -> None:
    router = Deciding()
    made = [*mentions(router, 40), *chatter(router, "is the build down?", "good morning", "is it down again?")]
    async with routers():
        await inbox.put_all(made)
        await inbox.decisions()
    file = tmp_path / "other.yaml"

    file.write_text(LIMITED, "utf-8")
    assert (await replayed(threadline, "--directory", str(file), "--diff"))["differences"] == []

    file.write_text(f"{LIMITED}    limits: [{{scope: connection, per_minute: 10}}]\n", "utf-8")
    fewer = await replayed(threadline, "--directory", str(file), "--diff", code=1)
    assert fewer["kinds"]["dispatched to mara → throttled by the connection's limit"] == 20
    waits = {each["after"]["retry_after_s"] for each in fewer["differences"]}
    assert waits == {6.0}, "ten a minute fill up one in six seconds"
    assert len(fewer["differences"]) == 30, "those that were refused wait longer, too"

    file.write_text(LIMITED.replace("id: mara, name: Mara", "id: vera, name: Vera"), "utf-8")
    other = await replayed(threadline, "--directory", str(file))
    assert other["kinds"] == {"dispatched to mara → dispatched to vera": 30}

    file.write_text(f"{LIMITED}    rules: [{{name: outage, pattern: 'is .* down'}}]\n", "utf-8")
    ruled = await replayed(threadline, "--directory", str(file))
    changed = {"ignored: not_addressed → throttled by the connection's limit": 2}
    assert ruled["kinds"] == changed, "the two that match come when nothing is left of the limit"
    told = await threadline("replay", "--directory", str(file))
    assert "43 decisions were taken again, 2 of them otherwise" in told

    file.write_text("version: 1\ntenants: [{id: 7}]\n", "utf-8")
    assert "is not right" in await threadline("replay", "--directory", str(file), code=1)


async def test_decisions_that_stand_elsewhere_or_late_or_twice_are_found(topics: KafkaSettings) -> None:
    """As those are whose tenant nobody knew at first, and those that were said again after a router's end."""
    traffic = Traffic(3)
    tenants = [each.standing() for each in traffic.document(PER_MINUTE).tenants]
    now = SystemClock().now().timestamp()
    await put_decided(topics, traffic.envelopes(300, now - 60), Directory(tenants, PER_MINUTE), 7, late_and_twice)
    told: list[tuple[int, int]] = []

    async def read(_: int | None) -> list[TenantFacts]:
        return tenants

    def progress(done: int, whole: int) -> None:
        told.append((done, whole))

    until = SystemClock().now()
    under = Under(Directories(read, PER_MINUTE), None, "its own")
    found = await replay(topics, Stretch(until - timedelta(hours=1), until), under, progress=progress)
    assert (found.decided, found.undecided, len(found.differences)) == (300, 0, 0)
    assert told[0] == (0, 300)
    assert told[-1] == (300, 300)
    assert told == sorted(told)


def late_and_twice(made: list[DecisionMade]) -> Iterator[DecisionMade]:
    """Each ten the other way round; and each that is said again, as another one that must not count."""
    for start in range(0, len(made), 10):
        yield from reversed(made[start : start + 10])
    for each in made[50:80]:
        yield each.model_copy(update={"decision": Ignored(reason="hidden")})


async def test_where_retention_deleted_what_decisions_rest_on_it_says_so(
    routers: Runs, inbox: Inbox, threadline: Command, topics: KafkaSettings
) -> None:
    async with routers():
        await inbox.put_all(mentions(Deciding(), 40))
        await inbox.decisions()
    assert (await replayed(threadline, "--diff"))["cut"] is False
    async with passages(topics, SLACK_INBOUND) as there:
        [home] = [number for number, each in (await there.between(SINCE_EVER)).items() if each]
    async with admin_client(topics) as client:
        place = TopicPartition(f"{topics.topic_prefix}slack.inbound", home)
        await client.delete_records({place: RecordsToDelete(before_offset=10)})
    found = await replayed(threadline)
    assert (found["cut"], found["decided"]) == (True, 30)
    assert "retention deleted what stood there" in await threadline("replay")
    async with passages(topics, SLACK_INBOUND) as there:
        passage, read = there.read(home, range(40)), list[int]()
        while batch := await passage.more():
            read += [each.offset for each in batch]
    assert read == list(range(10, 40)), "a reader that was on its way to what is deleted goes on behind it"


async def test_what_nobody_can_read_is_decided_again_too(routers: Runs, inbox: Inbox, threadline: Command) -> None:
    router = Deciding()
    async with routers():
        for number in range(8):
            await inbox.put_raw(f"key {number}".encode(), b"no envelope")
            await inbox.put_all(mentions(router, 2))
        await inbox.decisions()
    found = await replayed(threadline, "--diff")
    assert (found["decided"], found["undecided"], found["differences"]) == (24, 0, [])


async def test_on_a_terminal_it_shows_how_far_it_is_and_ctrl_c_leaves_the_file(
    routers: Runs, inbox: Inbox, described: DatabaseSettings, tmp_path: Path
) -> None:
    async with routers():
        await inbox.put_all(mentions(Deciding(), 12))
        await inbox.decisions()
    out, terminal = tmp_path / "replay.json", Terminal(200, 24)
    out.write_text("before", "utf-8")
    async with database_link(described) as (between, through):
        between.stand_still()  # so that it is in the midst of it for as long as it takes
        url = through.database_url
        told = router_environment(inbox.kafka, through) | {
            "THREADLINE_DATABASE_OWNER_URL": url.get_secret_value() if url is not None else ""
        }
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "threadline", "replay", "--format", "json", "--out", str(out)),
            stdout=terminal.theirs,
            stderr=terminal.theirs,
            env=child_environment({**told, "TERM": "xterm-256color"}),
            cwd=tmp_path,
        )
        await terminal.shows("0/12")
        program.send_signal(signal.SIGINT)
        assert await program.wait() == 1
    await asyncio.sleep(0.2)
    assert f"threadline: interrupted; nothing was written: {out} is as it was" in terminal.written
    assert "Traceback" not in terminal.written
    assert out.read_text("utf-8") == "before"
    assert begun_files(tmp_path) == []
    terminal.close()


def begun_files(folder: Path) -> list[Path]:
    """What was to be put in the place of a file."""
    return list(folder.glob(".replay*"))


def test_as_many_differences_as_there_are_records_are_kept() -> None:
    found, one = Differences(), difference(0)
    count = 2 * IN_MEMORY // len(one.model_dump_json())
    for number in range(count):
        found.add(difference(number))
    assert len(found) == count
    assert [each.offset for each in found] == list(range(count))
    assert next(iter(found)) == one


def difference(offset: int) -> Difference:
    """One of many."""
    return Difference(
        partition=1,
        offset=offset,
        event_id=f"A1:Ev{offset:09d}",
        connection="A1:T1",
        received_at=datetime(2026, 3, 2, tzinfo=UTC),
        before=Ignored(reason="hidden"),
        after=Ignored(reason="edited"),
    )


async def test_another_version_decides_by_its_own_code(
    routers: Runs, inbox: Inbox, threadline: Command, tmp_path: Path
) -> None:
    router = Deciding()
    async with routers():
        await inbox.put_all([*mentions(router, 3), *chatter(router, "good morning", "and good night")])
        await inbox.decisions()
    other = tmp_path / "other"
    for name in ("threadline", "services", "schemas"):
        shutil.copytree(ROOT / name, other / name, ignore=shutil.ignore_patterns("__pycache__"))
    same = await replayed(threadline, "--code", "other", "--diff")
    assert (same["decided"], same["differences"], same["code"]["folder"]) == (5, [], str(other))
    assert (await replayed(threadline, "--diff"))["code"]["folder"] == str(ROOT)

    changed = other / "services/router/decisions/reactions.py"
    text = changed.read_text("utf-8")
    changed.write_text(
        text.replace('Ignored(reason="not_addressed"), eval', 'Ignored(reason="stranger"), eval'), "utf-8"
    )
    found = await replayed(threadline, "--code", "other", "--diff", code=1)
    assert found["kinds"] == {"ignored: not_addressed → ignored: stranger": 2}
    told = await threadline("replay", "--code", str(other), "--out", "told.md")
    assert "5 decisions, 2 otherwise" in told
    assert f"the code in {other}" in (tmp_path / "told.md").read_text("utf-8")

    (other / "services/router/replay/replay.py").unlink()
    wrong = await threadline("replay", "--code", "other", code=1)
    assert "there is no services/router/replay/replay.py in it" in wrong
    assert "nothing was read" in wrong
