"""The test bed: one broker and one Postgres for each process of the run, and topics of its own for each test."""

import os
import shutil
import signal
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4  # noqa: TID251 - names of a test's topics, which must differ from run to run

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from schemas.partitions import PARTITIONS_ON_ONE_MACHINE
from schemas.topics import TOPICS
from services.kit import redaction
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.kit.kafka import admin
from services.kit.settings import FILE_VARIABLE, PREFIX, Settings, environment_name, load
from services.local import control, kafka, postgres, state
from services.local.home import Home, LocalSettings
from tests import containers
from tests.databases import Databases, databases_at
from threadline.catalogue import SETTINGS

ROOT = Path(__file__).parents[1]
HOMES = ROOT / ".threadline/tests"
USED: set[tuple[str, str]] = set()
"""What the run got for each part, for the summary. Workers hand theirs to the process that writes it."""


class BedSettings(Settings):
    """What the test bed is told."""

    test_kafka_brokers: str | None = None
    test_database_url: str | None = None
    test_nothing_skipped: bool = False


BED = load(BedSettings)
KEPT = ("THREADLINE_TEST_", "THREADLINE_CACHE", "THREADLINE_JAR_REPOSITORY")


def pytest_configure() -> None:
    """Tests see nothing of the settings of whoever runs them: no token, no cluster, no home, no file.

    And programs that they start hear Ctrl-C, even where the tests were started in the background, where it is ignored.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in list(os.environ):  # noqa: TID251 - it is emptied here, and not read
        known = any(
            name == environment_name(field, info) for kind in SETTINGS for field, info in kind.model_fields.items()
        )
        if (known or name.startswith(PREFIX)) and not name.startswith(KEPT):
            del os.environ[name]  # noqa: TID251 - likewise
    os.environ[FILE_VARIABLE] = os.devnull  # noqa: TID251 - likewise
    # How long an example takes says how busy the machine is.
    hypothesis_settings.register_profile("bed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    hypothesis_settings.load_profile("bed")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for part, what in sorted(USED):
        terminalreporter.write_line(f"{part}: {what}")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker has ended. One that was killed hands over nothing."""
    USED.update((part, what) for part, what in getattr(node, "workeroutput", {}).get("used", ()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What is skipped while tests are collected has no report of its own to fail, and workers tell of it."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["used"] = sorted(USED)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if BED.test_nothing_skipped and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if BED.test_nothing_skipped and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here, and this was: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def bed_home(worker_id: str) -> Home:
    """Where this process keeps its embedded stack."""
    return Home.of(LocalSettings(home=HOMES / worker_id))


@pytest.fixture(scope="session")
def embedded(bed_home: Home) -> Iterator[state.StackState]:
    """The embedded stack, under a home of its own. One that a killed run left behind is used."""
    settings = LocalSettings(home=bed_home.root)
    if state.running(bed_home) is None:
        control.end_leftovers(bed_home, lambda *_: None)
        shutil.rmtree(bed_home.root, ignore_errors=True)
    yield control.start(settings, [])
    control.stop(settings)


@pytest.fixture(scope="session")
def brokers(request: pytest.FixtureRequest) -> Iterator[str]:
    """Addresses of the broker: the given one, else Redpanda in Docker, else the embedded Kafka."""
    if BED.test_kafka_brokers:
        USED.add(("broker", f"the given one at {BED.test_kafka_brokers}"))
        yield BED.test_kafka_brokers
        return
    with containers.redpanda() as address:
        if address is not None:
            USED.add(("broker", f"Redpanda in Docker at {address}"))
            yield address
            return
    stack: state.StackState = request.getfixturevalue("embedded")
    address = stack.address_of(kafka.NAME)
    USED.add(("broker", f"embedded Apache Kafka at {address}"))
    yield address


@pytest.fixture(scope="session")
def database_superuser_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Who may make databases: the given one, else Postgres in Docker, else the embedded one."""
    if BED.test_database_url:
        USED.add(("postgres", "the given one"))
        yield BED.test_database_url
        return
    with containers.postgres() as url:
        if url is not None:
            USED.add(("postgres", f"{containers.POSTGRES} in Docker"))
            yield url
            return
    stack: state.StackState = request.getfixturevalue("embedded")
    address = stack.address_of(postgres.NAME)
    USED.add(("postgres", f"embedded PostgreSQL at {address}"))
    yield postgres.Database.at(request.getfixturevalue("bed_home"), address).superuser_url


@pytest.fixture(scope="session")
async def databases(database_superuser_url: str, testrun_uid: str) -> AsyncIterator[Databases]:
    """Makes databases with the directory's tables."""
    async with databases_at(database_superuser_url, testrun_uid) as made:
        yield made


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[DatabaseSettings]:
    """An empty directory, for this test alone."""
    async with databases.new() as settings:
        yield settings


@pytest.fixture(autouse=True)
def nothing_learnt() -> Iterator[None]:
    """Secrets that one test reads are kept out of its own logs, and not out of the next one's."""
    yield
    redaction._learnt.clear()


def fresh(brokers: str) -> KafkaSettings:
    """The broker under a prefix that nobody else has."""
    prefix = f"test-{uuid4().hex[:12]}."
    return KafkaSettings(
        kafka_brokers=brokers, topic_prefix=prefix, topic_partitions=PARTITIONS_ON_ONE_MACHINE, topic_replication=1
    )


@asynccontextmanager
async def topics_of(kafka_settings: KafkaSettings) -> AsyncIterator[KafkaSettings]:
    """Every declared topic, within it."""
    async with admin.admin_client(kafka_settings) as client:
        declared = admin.declared_on(await admin.cluster_of(client, kafka_settings))
        await admin.create(client, declared)
        yield kafka_settings
        await client.delete_topics([f"{kafka_settings.topic_prefix}{topic.name}" for topic in TOPICS])


@pytest.fixture
def kafka_settings(brokers: str) -> KafkaSettings:
    """The broker under a prefix that no other test has. The topics are not made yet."""
    return fresh(brokers)


@pytest.fixture
async def topics(kafka_settings: KafkaSettings) -> AsyncIterator[KafkaSettings]:
    """Every declared topic, for this test alone."""
    async with topics_of(kafka_settings) as made:
        yield made
