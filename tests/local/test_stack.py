"""The embedded stack through its command line, as a newcomer uses it, and as kill -9 does."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaProducer

from schemas.topics import AUDIT_RUNS
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import reader
from services.kit.settings import child_environment
from services.local.home import Home
from services.local.postgres import Database
from tests.local.test_supervisor import until


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
        pid: int = self.status()["programs"][name]["pid"]
        return pid

    def kafka(self) -> KafkaSettings:
        return KafkaSettings(kafka_brokers=self.status()["programs"]["kafka"]["address"], topic_partitions=4)

    def database_url(self) -> str:
        return Database.at(Home(self.root, self.root), self.status()["programs"]["postgres"]["address"]).url

    def back(self, restarts: dict[str, int]) -> bool:
        status = self.status()
        return bool(status["ready"]) and all(status["programs"][name]["restarts"] == n for name, n in restarts.items())


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("home"))
    yield stack
    stack("local", "stop")


async def test_kill_9_of_broker_and_database_keeps_their_data(stack: Stack) -> None:
    stack("local", "start", "--only", "kafka,postgres")
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka().kafka_brokers, acks="all") as producer:
        for number in range(20):
            await producer.send_and_wait(AUDIT_RUNS.name, b"%d" % number, b"same")
    connection = await asyncpg.connect(stack.database_url())
    await connection.execute("create table kept (n int); insert into kept select generate_series(1, 20)")
    await connection.close()

    for name in ("kafka", "postgres"):
        os.kill(stack.pid(name), signal.SIGKILL)
    await until(lambda: stack.back({"kafka": 1, "postgres": 1}), within=60)

    async with reader(stack.kafka(), AUDIT_RUNS) as consumer:
        assert [(await consumer.getone()).value for _ in range(20)] == [b"%d" % number for number in range(20)]
    connection = await asyncpg.connect(stack.database_url())
    assert await connection.fetchval("select count(*) from kept") == 20
    await connection.close()


def test_a_second_start_finds_the_first(stack: Stack) -> None:
    stack("local", "start")
    before = stack.pid("kafka")
    stack("local", "start")
    assert stack.pid("kafka") == before


def test_commands_find_the_broker_that_runs_here(stack: Stack) -> None:
    stack("local", "start")
    assert "10 topics" in stack("topics", "check")
    assert "0 made, 0 changed, 10 as declared" in stack("topics", "apply")


def test_other_programs_are_told_the_addresses(stack: Stack) -> None:
    stack("local", "start")
    lines = stack("local", "env").splitlines()
    assert f"export DATABASE_URL={stack.database_url()}" in lines
    assert f"export THREADLINE_KAFKA_BROKERS={stack.kafka().kafka_brokers}" in lines


def test_kill_9_of_the_supervisor_is_cleaned_up_by_the_next_start(stack: Stack) -> None:
    stack("local", "start")
    before = {name: stack.pid(name) for name in ("kafka", "postgres")}
    supervisor = json.loads((stack.root / "state.json").read_text())["supervisor"]["pid"]
    os.kill(supervisor, signal.SIGKILL)
    psutil.Process(supervisor).wait(5)
    assert "nothing runs" in stack("local", "status", code=1)
    stack("local", "start")
    after = {name: stack.pid(name) for name in ("kafka", "postgres")}
    for name, pid in before.items():
        assert after[name] != pid
        assert not psutil.pid_exists(pid)


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
    assert child.wait(10) == 0
    child.stdout.close()
    assert not psutil.pid_exists(pid)
