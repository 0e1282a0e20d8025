"""A simulator for each test, on a port of its own, and what its first world has."""

from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.app import slack_sim
from services.slack_sim.client import SlackSim, slack_sim_at
from services.slack_sim.settings import SlackSimSettings
from services.slack_sim.simulation import Simulation
from tests.slack_sim.first import First


@pytest.fixture
async def slack() -> AsyncIterator[Simulation]:
    """The simulator itself."""
    async with slack_sim(SlackSimSettings(slack_sim_port=0, slack_sim_seed="test")) as simulation:
        yield simulation


@pytest.fixture
async def sim(slack: Simulation) -> AsyncIterator[SlackSim]:
    """Its control API."""
    async with slack_sim_at(slack.address) as client:
        yield client


@pytest.fixture
async def first(sim: SlackSim) -> First:
    """What its first world has."""
    return First.of(await sim.world())


@pytest.fixture
def bot(sim: SlackSim, first: First) -> AsyncWebClient:
    """The agent's own client, as Slack's SDK makes it."""
    return AsyncWebClient(first.bot_token, base_url=sim.api_url)
