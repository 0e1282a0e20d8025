"""A broker that wants TLS and a password, as real clusters do."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from aiokafka.errors import KafkaError
from cryptography.hazmat.primitives import serialization
from typing_extensions import override

from schemas.topics import AUDIT_RUNS
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings, TelemetrySettings
from services.kit.kafka import admin
from services.kit.kafka.connection import client_arguments
from services.kit.kafka.consumer import reader, record_of
from services.kit.kafka.producer import Producer
from services.kit.telemetry.emitter import NoEmitter
from services.kit.telemetry.instruments import Instruments
from services.kit.telemetry.traces import tracer_for
from services.local import control, kafka
from services.local.home import Home, LocalSettings
from services.local.ports import HOST, choose
from services.local.supervisor import Supervisor, Surroundings
from services.report.adapters.batch import Stretch, silent
from services.report.adapters.topics import Topics, Unreachable
from tests.local.test_supervisor import until
from tests.samples import run_state

USER, PASSWORD = "threadline", "a-planted-password"


@dataclass(frozen=True)
class Secured(kafka.Broker):
    """The embedded broker with a third listener."""

    secured_port: int
    key_store: Path

    @override
    def _properties(self) -> str:
        plain, secured = f"PLAINTEXT://{HOST}:{self.port}", f"SASL_SSL://{HOST}:{self.secured_port}"
        jaas = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        return super()._properties() + "\n".join(
            [
                f"listeners={plain},{secured},CONTROLLER://{HOST}:{self.controller_port}",
                f"advertised.listeners={plain},{secured}",
                "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
                "sasl.enabled.mechanisms=SCRAM-SHA-512",
                f"listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={jaas}",
                "ssl.keystore.type=PEM",
                f"ssl.keystore.location={self.key_store}",
            ]
        )

    @override
    async def prepare(self) -> None:
        self.home.kafka.mkdir(exist_ok=True)
        self.configuration.write_text(self._properties())
        scram = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
        await self._storage_tool(
            "format", "-t", kafka.new_cluster(), "-c", str(self.configuration), "--add-scram", scram
        )


def key_store(authority: trustme.CA, path: Path) -> Path:
    """Key and certificate in the one form that Kafka reads."""
    certificate = authority.issue_cert(HOST)
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
    pkcs8 = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(pkcs8 + b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    return path


@pytest.fixture(scope="module")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KafkaSettings]:
    root = tmp_path_factory.mktemp("secured")
    home = Home(root, Home.of(LocalSettings()).cache)
    home.make()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(root / "ca.pem")
    taken: set[int] = set()
    ports = [choose(name, 0, home.ports_file, taken) for name in ("kafka", "controller", "secured")]
    jars = tuple(control.fetch_programs(LocalSettings(), ["kafka"]))
    broker = Secured(home, jars, ports[0], ports[1], ports[2], key_store(authority, root / "keystore.pem"))

    async def nothing() -> None:
        pass

    supervisor = Supervisor([broker.program(nothing)], Surroundings(home, SystemClock(), lambda *_: None))
    stopping = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stopping))
    await until(lambda: supervisor.state.is_ready or running.done(), within=60)
    yield settings(ports[2], root / "ca.pem")
    stopping.set()
    await running


def settings(port: int, ca_file: Path | None, password: str = PASSWORD) -> KafkaSettings:
    return KafkaSettings.model_validate(
        {
            "kafka_brokers": f"{HOST}:{port}",
            "kafka_security": "SASL_SSL",
            "kafka_username": USER,
            "kafka_password": password,
            "kafka_ca_file": ca_file,
            "topic_partitions": 4,
        }
    )


async def test_topics_are_made_written_and_read_over_tls_with_a_password(secured: KafkaSettings) -> None:
    async with admin.admin_client(secured) as client:
        await admin.create(client, admin.declared_on(await admin.cluster_of(client, secured)))
    with tracer_for("test", TelemetrySettings()) as tracer:
        async with Producer(secured, "router", Instruments(SystemClock(), NoEmitter(), tracer)) as producer:
            await producer.publish(AUDIT_RUNS, "k", run_state(), "id-1")
    async with reader(secured, AUDIT_RUNS) as consumer, asyncio.timeout(20):
        _, event = record_of(await consumer.getone(), "").decode()
    assert event == run_state()
    read = await asyncio.to_thread(lambda: list(Topics(secured, [AUDIT_RUNS.name], Stretch()).records(silent)))
    assert [each.value for batch in read for each in batch] == [run_state().model_dump_json().encode()]


async def test_a_wrong_password_is_refused(secured: KafkaSettings) -> None:
    port = int(secured.kafka_brokers.split(":")[1])
    with pytest.raises(KafkaError):
        async with asyncio.timeout(30), admin.admin_client(settings(port, secured.kafka_ca_file, "wrong-password")):
            pass
    wrong = settings(port, secured.kafka_ca_file, "wrong-password")
    with pytest.raises(Unreachable, match="no Kafka cluster answers") as told:
        await asyncio.to_thread(lambda: list(Topics(wrong, [AUDIT_RUNS.name], Stretch()).records(silent)))
    assert "wrong-password" not in str(told.value)


async def test_a_certificate_that_nobody_vouches_for_is_refused(secured: KafkaSettings) -> None:
    port = int(secured.kafka_brokers.split(":")[1])
    with pytest.raises((KafkaError, ssl.SSLError)):
        async with asyncio.timeout(30), admin.admin_client(settings(port, None)):
            pass


def test_a_clients_own_certificate_is_presented(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("client")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    mutual: dict[str, object] = {
        "kafka_security": "SSL",
        "kafka_ca_file": tmp_path / "ca.pem",
        "kafka_cert_file": tmp_path / "cert.pem",
        "kafka_key_file": tmp_path / "key.pem",
    }
    arguments = client_arguments(KafkaSettings.model_validate(mutual))
    assert isinstance(arguments["ssl_context"], ssl.SSLContext)
    assert "sasl_mechanism" not in arguments
