"""The responder as operators run it."""

import signal
import sys
from pathlib import Path

from bench.beds.child import child
from bench.beds.inbox import Inbox
from schemas.letter import DeadLetter
from schemas.topics import DEAD_LETTERS, RUNS_COMMANDS
from services.kit.kafka.writer import Writer
from tests.responder.conftest import Talks


async def test_it_runs_as_people_start_it(talks: Talks, tmp_path: Path) -> None:
    async with talks() as talk:
        await talk.pipeline.responder.child.stop()
        command = (sys.executable, "-m", "threadline", "responder")
        async with child(command, talk.environment, tmp_path / "log", tmp_path) as running:
            await talk.answer(await talk.mention("hello"), "hello")
            running.send(signal.SIGINT)
            assert await running.process.wait() == 0
            assert "Traceback" not in running.said()


async def test_poison_is_kept_byte_for_byte_and_holds_up_nobody(talks: Talks) -> None:
    async with talks() as talk:
        async with Writer(talk.kafka, "test") as writer:
            for partition in range(talk.kafka.topic_partitions):
                headers = (("ce_id", b"x"), ("odd", b"\xff"))
                await (await writer.hand_over(RUNS_COMMANDS, b"k", b"\xff{", headers, partition))
        await talk.answer(await talk.mention("hello"), "hello")
        letters = [each.event for each in await Inbox(talk.kafka).found(DEAD_LETTERS)]
        assert len(letters) == talk.kafka.topic_partitions
        assert all(isinstance(each, DeadLetter) and each.value == b"\xff{" for each in letters)
        assert {each.service for each in letters} == {"responder"}
        await talk.pipeline.responder.until("threadline_responder_unfinished", 0)
