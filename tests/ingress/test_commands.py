"""`threadline ingress` and what operators do with it, as they start it."""

import asyncio
import signal
import sys
from pathlib import Path

from bench.beds.child import child
from bench.beds.inbound import stored
from services.ingress.adapters.spools import Spools
from services.kit.groups import KafkaSettings
from services.kit.settings import child_environment
from services.slack_sim.client import SlackSim
from services.slack_sim.control.conditions import SomeSockets
from tests.ingress.conftest import Runs, environment
from tests.ingress.records import record
from tests.slack_sim.first import First
from tests.slack_sim.peers import assert_prompt, settled


async def threadline(folder: Path, given: dict[str, str], *arguments: str) -> tuple[int, str]:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "threadline", "ingress", *arguments),
        env=child_environment({**given, "THREADLINE_SPOOL_FOLDER": str(folder / "spool")}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await program.communicate()
    return program.returncode or 0, said.decode()


async def test_it_runs_as_people_start_it(sim: SlackSim, first: First, topics: KafkaSettings, tmp_path: Path) -> None:
    for arguments, prefix in (((), ""), (("--observe",), "shadow.")):
        given = {
            **environment(sim, first, topics.model_copy(update={"topic_prefix": topics.topic_prefix})),
            "THREADLINE_SPOOL_FOLDER": str(tmp_path / "spool"),
        }
        command = (sys.executable, "-m", "threadline", "ingress", *arguments)
        async with child(command, given, tmp_path / f"{prefix}log", tmp_path) as running:
            await sim.wait(SomeSockets(app_id=first.app.id, count=2), 30)
            await sim.say(first.you, first.general, "hello")
            assert_prompt(await settled(sim))
            running.send(signal.SIGINT)
            assert await running.process.wait() == 0
            assert "Traceback" not in running.said()
    assert [each.text for each in await stored(topics)] == ["hello"], "who only observes publishes elsewhere"
    names = sorted(each.name for each in (tmp_path / "spool").iterdir())
    assert names == sorted([f"topics-{topics.topic_prefix}", f"topics-shadow.{topics.topic_prefix}"])


async def test_a_spool_that_was_left_behind_is_adopted(
    sim: SlackSim, first: First, ingress: Runs, topics: KafkaSettings, tmp_path: Path
) -> None:
    spools = Spools(tmp_path / "spool", topics.topic_prefix, 1 << 30)
    _, one = spools.take("spool")
    _, two = spools.take("spool")
    two.append([record(number) for number in range(150)])
    one.close()
    two.close()
    given = environment(sim, first, topics)
    async with ingress() as running:
        await running.until("threadline_ingress_spools_left_behind", 1)
        assert "150 acknowledged envelopes wait in it: `threadline ingress adopt spool-2`" in running.child.said()
        code, said = await threadline(tmp_path, given, "spools")
        assert code == 0
        assert "spool-1    a process that runs" in said
        assert "spool-2    nobody               150" in said
        code, said = await threadline(tmp_path, given, "adopt", "spool-1")
        assert code == 1
        assert "belongs to another process that runs" in said
        assert await threadline(tmp_path, given, "adopt", "spool-2") == (
            0,
            "150 records of spool-2 were written to the broker; it is empty\n",
        )
        code, said = await threadline(tmp_path, given, "adopt", "spool-9")
        assert code == 1
        assert "`threadline ingress spools` lists them" in said
    assert [each.id for each in await stored(topics)] == [f"A1:T1:Ev{number}" for number in range(150)]


async def test_observe_stands_behind_the_command(topics: KafkaSettings, tmp_path: Path) -> None:
    code, said = await threadline(tmp_path, {"THREADLINE_KAFKA_BROKERS": topics.kafka_brokers}, "--observe", "spools")
    assert code == 1
    assert "threadline ingress spools --observe" in said
