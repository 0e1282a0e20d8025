"""Redpanda and Postgres in Docker, where there is an engine that has their images."""

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

REDPANDA = "redpandadata/redpanda:v25.3.9"
POSTGRES = "postgres:18.3"


@contextmanager
def redpanda() -> Iterator[str | None]:
    """The broker's address; none where there is no engine, or it does not have the image."""
    if not _is_there(REDPANDA):
        yield None
        return
    from testcontainers.community.kafka import RedpandaContainer  # noqa: PLC0415 - it looks for an engine when it is imported

    with RedpandaContainer(REDPANDA) as container:
        yield container.get_bootstrap_server()


@contextmanager
def postgres() -> Iterator[str | None]:
    """The superuser's address; none likewise."""
    if not _is_there(POSTGRES):
        yield None
        return
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415 - likewise

    password = secrets.token_urlsafe(24)
    with PostgresContainer(POSTGRES, username="postgres", password=password, dbname="postgres") as it:
        yield f"postgresql://postgres:{password}@{it.get_container_host_ip()}:{it.get_exposed_port(5432)}/postgres"


def _is_there(image: str) -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "image", "inspect", image], capture_output=True, check=False).returncode == 0
