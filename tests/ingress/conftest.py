"""A local Slack in this process, and ingresses in processes of their own."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from bench.beds.broker import OwnBroker, own_broker
from bench.beds.ingress import OwnIngress, own_ingress
from services.kit.fresh_ids import RandomIds
from services.kit.groups import KafkaSettings
from services.kit.secrets.sealing import new_key
from services.slack_sim.app import slack_sim
from services.slack_sim.client import SlackSim, slack_sim_at
from services.slack_sim.settings import SlackSimSettings
from tests.slack_sim.first import First

Runs = Callable[..., AbstractAsyncContextManager[OwnIngress]]
SEALING_KEY = new_key()


@pytest.fixture
async def sim() -> AsyncIterator[SlackSim]:
    """Its control API."""
    settings = SlackSimSettings(slack_sim_port=0, slack_sim_seed="test")
    async with slack_sim(settings) as simulation, slack_sim_at(simulation.address) as client:
        yield client


@pytest.fixture
async def first(sim: SlackSim) -> First:
    """What its first world has."""
    return First.of(await sim.world())


def environment(sim: SlackSim, first: First, kafka: KafkaSettings, **more: str) -> dict[str, str]:
    """What an ingress is told of them."""
    return {
        "SLACK_API_URL": sim.api_url,
        "SLACK_APP_TOKEN": first.app.app_token,
        "SLACK_SIGNING_SECRET": first.app.signing_secret,
        "THREADLINE_KAFKA_BROKERS": kafka.kafka_brokers,
        "THREADLINE_TOPIC_PREFIX": kafka.topic_prefix,
        "THREADLINE_SEALING_KEYS": SEALING_KEY,
        "THREADLINE_CONFIG": os.devnull,
        **more,
    }


@pytest.fixture
def ingress(sim: SlackSim, first: First, topics: KafkaSettings, tmp_path: Path) -> Runs:
    """Runs one; each keyword is a variable of its environment."""

    def runs(*, ready: bool = True, **more: str) -> AbstractAsyncContextManager[OwnIngress]:
        return own_ingress(tmp_path, environment(sim, first, topics, **more), ready=ready)

    return runs


@pytest.fixture(scope="session")
async def fragile(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OwnBroker]:
    """A broker that may be held up, stopped and killed, whatever the others' is."""
    async with own_broker(tmp_path_factory.mktemp("fragile")) as broker:
        yield broker


@pytest.fixture
async def fragile_topics(fragile: OwnBroker) -> AsyncIterator[KafkaSettings]:
    """Every declared topic on it, for this test alone. Afterwards it runs, whatever the test did."""
    prefix = f"test-{RandomIds().new()[:12]}."
    await fragile.make_topics(prefix)
    yield fragile.settings.model_copy(update={"topic_prefix": prefix})
    fragile.let_go()
    if fragile.child is None or not fragile.child.is_running:
        await fragile.start()
    await fragile.ready()
