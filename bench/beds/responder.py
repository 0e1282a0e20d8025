"""Ingress, router and responder before one Slack: what a person there says is answered there."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.beds.ingress import OwnIngress, own_ingress
from bench.beds.router import own_router
from bench.beds.service import OwnService, own_service
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.slack_sim.control.answers import WorldShown


def environment_of(api_url: str, world: WorldShown, kafka: KafkaSettings, database: DatabaseSettings) -> dict[str, str]:
    """What each of the three is told."""
    url = database.database_url
    (installation,) = world.installations
    return {
        "SLACK_API_URL": api_url,
        "SLACK_BOT_TOKEN": installation.bot_token,
        "SLACK_APP_TOKEN": world.apps[0].app_token,
        "SLACK_SIGNING_SECRET": world.apps[0].signing_secret,
        "THREADLINE_KAFKA_BROKERS": kafka.kafka_brokers,
        "THREADLINE_TOPIC_PREFIX": kafka.topic_prefix,
        "THREADLINE_TOPIC_PARTITIONS": str(kafka.topic_partitions),
        "DATABASE_URL": url.get_secret_value() if url is not None else "",
        "THREADLINE_CONFIG": os.devnull,
    }


@dataclass(frozen=True)
class Pipeline:
    """The three processes."""

    ingress: OwnIngress
    router: OwnService
    responder: OwnService


@asynccontextmanager
async def own_responder(
    folder: Path, environment: Mapping[str, str], *, ready: bool = True
) -> AsyncIterator[OwnService]:
    """Runs it in a folder, where its state is."""
    async with own_service(OwnService, "responder", folder, environment, ready=ready) as found:
        yield found


@asynccontextmanager
async def own_pipeline(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Pipeline]:
    """All three, each in a folder of its own."""
    async with AsyncExitStack() as stack:
        router = await stack.enter_async_context(own_router(folder / "router", environment))
        responder = await stack.enter_async_context(own_responder(folder / "responder", environment))
        ingress = await stack.enter_async_context(own_ingress(folder / "ingress", environment))
        yield Pipeline(ingress, router, responder)
