"""A router in a process of its own, and a directory for it."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bench.beds.service import OwnService, own_service
from services.directory.apply import How, apply
from services.directory.document import Document
from services.directory.owner import owner_database
from services.kit.groups import DatabaseSettings, KafkaSettings


def router_environment(kafka: KafkaSettings, database: DatabaseSettings, **more: str) -> dict[str, str]:
    """What a router is told of them."""
    url = database.database_url
    return {
        "THREADLINE_KAFKA_BROKERS": kafka.kafka_brokers,
        "THREADLINE_TOPIC_PREFIX": kafka.topic_prefix,
        "THREADLINE_TOPIC_PARTITIONS": str(kafka.topic_partitions),
        "DATABASE_URL": url.get_secret_value() if url is not None else "",
        "THREADLINE_CONFIG": os.devnull,
        **more,
    }


@asynccontextmanager
async def own_router(folder: Path, environment: Mapping[str, str], *, ready: bool = True) -> AsyncIterator[OwnService]:
    """Runs it in a folder, where its state is, until it has its partitions; or only until it can be asked."""
    async with own_service(OwnService, "router", folder, environment, ready=ready) as found:
        yield found


async def describe(database: DatabaseSettings, document: Document) -> None:
    """Makes the directory what a document says, and nothing else."""
    async with owner_database(database) as owner:
        await apply(owner, document, How(by="bench", prune=True))
