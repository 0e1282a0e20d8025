"""What operators do about dead letters, offsets and rules, as they do it."""

import asyncio
import json
import signal
import sys
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.beds.child import child
from bench.beds.inbox import Inbox, encoded
from bench.beds.router import router_environment
from bench.beds.topics import delete_before
from schemas.topics import AUDIT_OPERATIONS, DEAD_LETTERS, SLACK_INBOUND
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.kit.kafka.connection import client_arguments
from tests.commands import Command
from tests.deciding import Deciding
from tests.router.conftest import Runs
from tests.router.test_router import mentions

POISON = b'{"type": "slack.envelope", "payload": "\xff no UTF-8, \x00 and no envelope"}'


async def test_it_runs_as_people_start_it(
    topics: KafkaSettings, described: DatabaseSettings, inbox: Inbox, tmp_path: Path
) -> None:
    await inbox.put_all(mentions(Deciding(), 3))
    given = router_environment(topics, described)
    async with child((sys.executable, "-m", "threadline", "router"), given, tmp_path / "log", tmp_path) as running:
        assert [each.decision.kind for each in await inbox.decisions()] == ["dispatched"] * 3
        running.send(signal.SIGINT)
        assert await running.process.wait() == 0
        assert "Traceback" not in running.said()


async def test_poison_is_kept_byte_for_byte_its_neighbours_are_not_harmed_and_it_can_be_replayed(
    routers: Runs, inbox: Inbox, threadline: Command
) -> None:
    made = mentions(Deciding(), 6)
    await inbox.put_all(made[:3])
    await inbox.put_raw(b"A1:T1", POISON, (("ce_id", b"x"), ("odd", b"\xff")))
    await inbox.put_all(made[3:5])
    async with routers() as router:
        decisions = await inbox.decisions()
        kinds = [each.decision.kind for each in decisions]
        assert kinds == ["dispatched"] * 3 + ["dead_letter"] + ["dispatched"] * 2
        [letter] = [each.event for each in await inbox.found(DEAD_LETTERS)]
        assert (letter.value, letter.key, letter.attempts) == (POISON, b"A1:T1", 1)
        assert ("odd", b"\xff") in letter.headers
        assert (letter.source_topic, letter.source_offset) == ("slack.inbound", 3)
        listed = json.loads(await threadline("dlq", "list", "--json"))
        assert "slack.inbound" in await threadline("dlq", "list")
        assert repr(POISON) in await threadline("dlq", "show", listed["id"][:8])
        assert "1 put back" in await threadline("dlq", "replay", listed["id"])
        inbox.put += 1
        await inbox.decisions()
        again = [each.event for each in await inbox.found(DEAD_LETTERS)][1]
        assert (again.value, again.attempts) == (POISON, 2), "it is still no envelope"
        assert "is dropped" in await threadline(
            "dlq", "drop", json.loads(await threadline("dlq", "list", "--json"))["id"]
        )
        assert "no dead letter" in await threadline("dlq", "list")
        assert (await threadline("dlq", "list", "--all")).count("(replayed)") == 1
        await threadline("dlq", "show", "nothing", code=1)
        await threadline("dlq", "replay", code=1)
        await router.until("threadline_router_lag", 0)


async def test_a_letter_that_makes_sense_after_a_fix_is_decided(routers: Runs, inbox: Inbox) -> None:
    """What was wrong is its version: headers that are not there any more."""
    [envelope] = mentions(Deciding(), 1)
    value, headers = encoded(envelope)
    await inbox.put_raw(b"A1:T1", value, tuple(each for each in headers if each[0] != "ce_type"))
    async with routers():
        await inbox.decisions()
        [letter] = [each.event for each in await inbox.found(DEAD_LETTERS)]
        assert letter.value == value
    await inbox.put_raw(letter.key, letter.value, headers)
    async with routers():
        assert [each.decision.kind for each in await inbox.decisions()] == ["dead_letter", "dispatched"]


async def test_a_flood_of_poison_pauses_its_partition_over_restarts_until_an_operator_resumes(
    routers: Runs, inbox: Inbox, threadline: Command
) -> None:
    await threadline("dlq", "resume", code=1)
    for _ in range(8):
        await inbox.put_raw(b"A1:T1", POISON)
    [envelope] = mentions(Deciding(), 1)
    await inbox.put_all([envelope])
    inbox.put = 5
    told = {"THREADLINE_ROUTER_LETTERS_IN_A_ROW": "5"}
    async with routers(ready=False, **told) as router:
        await inbox.decisions()
        await router.child_says("is paused at offset 5")
        assert "dlq resume" in (await router.health())["reasons"]["partitions"]
        assert not (await router.health())["ready"]
        async with asyncio.timeout(20):
            while not await inbox.found(AUDIT_OPERATIONS):  # noqa: ASYNC110 - a topic has no event
                await asyncio.sleep(0.1)
    async with routers(ready=False, **told) as router:
        await router.child_says("is not read: it was paused")
        assert len(await inbox.found(DEAD_LETTERS)) == 5
        assert "is read on" in await threadline("dlq", "resume")
        inbox.put = 9
        assert [each.decision.kind for each in await inbox.decisions()] == ["dead_letter"] * 8 + ["dispatched"]
        await router.until_ready()


async def test_a_log_that_lost_events_is_not_read_until_the_loss_is_accepted(
    routers: Runs, inbox: Inbox, topics: KafkaSettings, threadline: Command
) -> None:
    made = mentions(Deciding(), 9)
    await inbox.put_all(made[:4])
    async with routers() as router:
        await inbox.decisions()
        await router.until("threadline_router_lag", 0)
    await threadline("offsets", "accept-loss", code=1)
    await inbox.put_all(made[4:])
    number = (await inbox.found(SLACK_INBOUND))[0].record.partition
    tp = TopicPartition(f"{topics.topic_prefix}{SLACK_INBOUND.name}", number)
    await delete_before(topics, SLACK_INBOUND, {number: 7})
    assert "offsets 4 to 6" in await threadline("offsets", "show")
    async with routers(ready=False) as router:
        await router.child_says("is not read: retention deleted what follows the commit (offsets 4 to 6)")
        assert "nothing was changed" in await threadline("offsets", "accept-loss")
        assert "accepted" in await threadline("offsets", "accept-loss", "--yes")
        inbox.put = 6
        decided = [each.source_offset for each in await inbox.decisions()]
        assert decided == [0, 1, 2, 3, 7, 8]
        await router.until("threadline_router_lag", 0)
        await router.until_ready()
    [loss] = [each.event for each in await inbox.found(AUDIT_OPERATIONS)]
    assert (loss.kind, loss.first_lost, loss.go_on_at) == ("events_gone", 4, 7)
    assert await _committed(topics, tp) == 9


async def _committed(topics: KafkaSettings, tp: TopicPartition) -> int | None:
    consumer = AIOKafkaConsumer(**client_arguments(topics), group_id=f"{topics.topic_prefix}router")
    await consumer.start()
    try:
        committed: int | None = await consumer.committed(tp)
        return committed
    finally:
        await consumer.stop()


DIRECTORY = """
version: 1
tenants:
  - id: acme
    name: Acme
    agents:
      - {id: mara, name: Mara, default: true}
    rules:
      - {name: outage, pattern: "(?i)is .* down", cooldown_s: 60}
      - {name: anything, priority: -5, channels: [C9]}
      - {name: hello, when: join, prompt: greet them}
"""


async def test_rules_are_tried_out_on_a_text(threadline: Command, tmp_path: Path) -> None:
    (tmp_path / "directory.yaml").write_text(DIRECTORY)
    said = await threadline("rules", "test", "acme", "Is it down?", "--file", "directory.yaml")
    assert "outage matches; mara answers" in said
    said = await threadline("rules", "test", "acme", "all is well", "--file", "directory.yaml", code=1)
    assert "the text does not match" in said
    assert "it is for other channels" in said
    assert "it looks at join" in said
    await threadline("rules", "test", "nobody", "x", "--file", "directory.yaml", code=1)
    await threadline("rules", "test", "acme", "x", "--when", "noon", "--file", "directory.yaml", code=1)
    assert "has no rule" in await threadline("rules", "test", "acme", "Is it down?", code=1)
