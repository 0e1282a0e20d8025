"""The embedded stack through its command line, as a newcomer uses it, and as kill -9 does."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaProducer

from schemas.topics import AUDIT_RUNS, TOPICS
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings, TelemetrySettings
from services.kit.kafka import admin
from services.kit.kafka.consumer import reader
from services.kit.kafka.producer import Producer
from services.kit.settings import child_environment
from services.kit.telemetry.emitter import NoEmitter
from services.kit.telemetry.instruments import Instruments
from services.kit.telemetry.traces import tracer_for
from services.local import state
from services.local.home import Home
from services.local.postgres import Database
from tests.databases import connected
from tests.local.test_supervisor import until
from tests.samples import run_state
from threadline.running import kafka_settings


class Stack:
    """`threadline` with a home of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = child_environment({"THREADLINE_HOME": str(root)})

    def __call__(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "threadline", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def status(self) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "threadline", "local", "status", "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def pid(self, name: str) -> int:
        found = state.running(Home(self.root, self.root))
        assert found is not None
        process = found.programs[name].process
        assert process is not None
        return process.pid

    def kafka(self) -> KafkaSettings:
        return KafkaSettings(kafka_brokers=self.status()["programs"]["kafka"]["address"], topic_partitions=4)

    def database(self) -> Database:
        return Database.at(Home(self.root, self.root), self.status()["programs"]["postgres"]["address"])

    def back(self, restarts: dict[str, int]) -> bool:
        found = state.running(Home(self.root, self.root))  # a command costs seconds, and this is asked many times
        if (
            found is None
            or not found.is_ready
            or any(found.programs[name].restarts != n for name, n in restarts.items())
        ):
            return False
        status = self.status()
        return bool(status["ready"]) and all(status["programs"][name]["restarts"] == n for name, n in restarts.items())


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("home"))
    yield stack
    stack("local", "stop")


async def test_kill_9_of_broker_and_database_keeps_their_data(stack: Stack) -> None:
    stack("local", "stop")
    stack("local", "start", "--only", "kafka,postgres")
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka().kafka_brokers, acks="all") as producer:
        for number in range(20):
            await producer.send_and_wait(AUDIT_RUNS.name, b"%d" % number, b"same")
    async with connected(stack.database().owner_url) as connection:
        await connection.execute("create table kept (n int); insert into kept select generate_series(1, 20)")

    for name in ("kafka", "postgres"):
        os.kill(stack.pid(name), signal.SIGKILL)
    await until(lambda: stack.back({"kafka": 1, "postgres": 1}), within=60)

    async with reader(stack.kafka(), AUDIT_RUNS) as consumer:
        assert [(await consumer.getone()).value for _ in range(20)] == [b"%d" % number for number in range(20)]
    async with connected(stack.database().owner_url) as connection:
        assert await connection.fetchval("select count(*) from kept") == 20


def test_a_second_start_finds_the_first(stack: Stack) -> None:
    stack("local", "start")
    before = stack.pid("kafka")
    stack("local", "start")
    assert stack.pid("kafka") == before == stack.status()["programs"]["kafka"]["pid"]


def test_commands_find_the_broker_that_runs_here(stack: Stack) -> None:
    stack("local", "start")
    assert f"{len(TOPICS)} topics" in stack("topics", "check")
    assert f"0 made, 0 changed, {len(TOPICS)} as declared" in stack("topics", "apply")


def test_other_programs_are_told_the_addresses(stack: Stack) -> None:
    stack("local", "start")
    lines = stack("local", "env").splitlines()
    assert f"export DATABASE_URL={stack.database().url}" in lines
    assert f"export THREADLINE_DATABASE_OWNER_URL={stack.database().owner_url}" in lines
    assert f"export THREADLINE_KAFKA_BROKERS={stack.kafka().kafka_brokers}" in lines


def test_kill_9_of_the_supervisor_is_cleaned_up_by_the_next_start(stack: Stack) -> None:
    stack("local", "start")
    before = {name: stack.pid(name) for name in ("kafka", "postgres")}
    supervisor = json.loads((stack.root / "state.json").read_text())["supervisor"]["pid"]
    os.kill(supervisor, signal.SIGKILL)
    psutil.Process(supervisor).wait(30)
    assert "postgres, kafka still run" in stack("local", "status", code=1)
    stack("local", "start")
    after = {name: stack.pid(name) for name in ("kafka", "postgres")}
    for name, pid in before.items():
        assert after[name] != pid
        assert not psutil.pid_exists(pid)


def test_stop_ends_what_a_killed_supervisor_left_behind(stack: Stack) -> None:
    stack("local", "stop")
    stack("local", "start", "--only", "postgres")
    pid = stack.pid("postgres")
    supervisor = json.loads((stack.root / "state.json").read_text())["supervisor"]["pid"]
    os.kill(supervisor, signal.SIGKILL)
    psutil.Process(supervisor).wait(30)
    assert "stopped" in stack("local", "stop")
    assert not psutil.pid_exists(pid)


async def test_a_topic_that_differs_is_told_and_can_be_mended_and_keeps_nothing_from_starting(stack: Stack) -> None:
    stack("local", "stop")
    stack("local", "start", "--only", "kafka")
    async with admin.admin_client(stack.kafka()) as client:
        declared = admin.declared_on(await admin.cluster_of(client, stack.kafka()))[0]
        crooked = replace(declared, config=(("retention.ms", "60000"),))
        await admin.alter(client, crooked, (await admin.live_topics(client, [declared.name]))[declared.name])
    os.kill(stack.pid("kafka"), signal.SIGKILL)
    await until(lambda: stack.back({"kafka": 1}), within=60)
    assert "retention.ms is 60000, declared is 1209600000" in stack("topics", "check", code=1)
    assert f"{len(TOPICS) - 1} as declared, 1 left as they are" in stack("topics", "apply")
    stack("topics", "apply", "--alter")
    assert f"{len(TOPICS)} topics" in stack("topics", "check")


def test_a_cluster_that_is_named_is_never_given_this_machines_partition_count(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack("local", "start", "--only", "kafka")
    monkeypatch.setenv("THREADLINE_HOME", str(stack.root))
    assert kafka_settings().topic_partitions == 4
    monkeypatch.setenv("THREADLINE_KAFKA_BROKERS", "kafka.example.com:9092")
    assert kafka_settings().topic_partitions == 24


async def test_a_producer_is_at_ease_while_no_broker_answers(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    stack("local", "start", "--only", "kafka")
    with tracer_for("test", TelemetrySettings()) as tracer:
        async with Producer(stack.kafka(), "router", Instruments(SystemClock(), NoEmitter(), tracer)) as producer:
            await producer.publish(AUDIT_RUNS, "k", run_state(), "id-1")
            stack("local", "stop")
            caplog.clear()
            waiting = await producer.send(AUDIT_RUNS, "k", run_state(), "id-2")
            await asyncio.sleep(2)
            attempts = sum("Unable to update metadata" in record.getMessage() for record in caplog.records)
            stack("local", "start", "--only", "kafka")
            async with asyncio.timeout(30):
                await waiting
    assert 1 <= attempts < 100, "without a pause it is thousands"


def test_a_home_may_have_any_letters_and_is_found_again(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "jürgen 日本")
    for _ in range(2):
        stack("local", "start", "--only", "kafka")
        stack("local", "stop")
    assert (stack.root / "kafka/data/meta.properties").is_file()


def test_a_home_that_kafka_cannot_live_in_is_refused(tmp_path: Path) -> None:
    assert "comma or a colon" in Stack(tmp_path / "a,b")("local", "start", code=1)


def test_a_database_that_was_begun_and_not_finished_is_made_anew(tmp_path: Path) -> None:
    begun = tmp_path / "postgres/data.new"
    begun.mkdir(parents=True)
    (begun / "PG_VERSION").write_text("18\n")
    stack = Stack(tmp_path)
    stack("local", "start", "--only", "postgres")
    stack("local", "stop")
    (tmp_path / "postgres/postgres.password").unlink()
    assert "delete that folder to begin anew" in stack("local", "start", "--only", "postgres", code=1)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("THREADLINE_KAFKA_BROKERS", "localhost:abc", "THREADLINE_KAFKA_BROKERS: "),
        ("THREADLINE_KAFKA_CA_FILE", "no-such.pem", "THREADLINE_KAFKA_CA_FILE: "),
        ("THREADLINE_CONFIG", "no-such.toml", "there is no file no-such.toml"),
    ],
)
def test_wrong_settings_are_told_by_name(variable: str, value: str, says: str, tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    stack.environment[variable] = value
    text = stack("topics", "check", code=1)
    assert says in text
    assert "Traceback" not in text


def test_a_part_that_does_not_exist_is_named(tmp_path: Path) -> None:
    assert "there is no part zookeeper; the parts are postgres, kafka" in Stack(tmp_path)(
        "local", "start", "--only", "zookeeper", code=1
    )


def test_without_a_cluster_a_command_says_what_to_do(tmp_path: Path) -> None:
    text = Stack(tmp_path)("topics", "check", code=1)
    assert "no Kafka cluster answers at 127.0.0.1:9092" in text
    assert "threadline local start" in text
    assert "Traceback" not in text


def test_stop_where_nothing_runs_is_no_error(tmp_path: Path) -> None:
    assert "nothing runs" in Stack(tmp_path)("local", "stop")


def test_ctrl_c_in_the_foreground_stops_everything(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    child = subprocess.Popen(
        [sys.executable, "-m", "threadline", "local", "start", "--foreground", "--only", "postgres"],
        env=stack.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert "postgres | ready" in child.stdout.readline()
    pid = stack.pid("postgres")
    child.send_signal(signal.SIGINT)
    assert child.wait(60) == 0
    child.stdout.close()
    assert not psutil.pid_exists(pid)
