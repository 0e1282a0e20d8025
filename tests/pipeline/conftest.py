"""One town for all tests of the folder: they leave it as it was, but for what was said and what was used up."""

from collections.abc import AsyncIterator

import pytest

from bench.beds.models import ModelServer, Says, model_server
from services.slack_sim.control import asks
from tests.conftest import fresh, topics_of
from tests.databases import Databases
from tests.pipeline.town import Town, town_of
from tests.responder.conftest import talks

__all__ = ["talks"]


@pytest.fixture(scope="package")
async def everybody(
    brokers: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """Runs as long as the folder's tests do."""
    folder = tmp_path_factory.mktemp("town")
    async with (
        model_server() as model,
        topics_of(fresh(brokers)) as kafka,
        town_of(kafka, databases, folder, model) as found,
    ):
        yield found


@pytest.fixture
async def town(everybody: Town) -> Town:
    """With a Slack and a model that are well."""
    everybody.model.does(Says())
    await everybody.acme.sim.ask(asks.ClearFaults())
    return everybody


@pytest.fixture
def model(town: Town) -> ModelServer:
    """What answers for OpenAI and for Anthropic."""
    return town.model
