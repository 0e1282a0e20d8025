"""Redpanda in Docker, where there is an engine that has its image."""

from collections.abc import Iterator
from contextlib import contextmanager

IMAGE = "redpandadata/redpanda:v25.3.1"


@contextmanager
def redpanda() -> Iterator[str | None]:
    """The broker's address; none where there is no engine, or it does not have the image."""
    if not _image_is_there():
        yield None
        return
    from testcontainers.kafka import RedpandaContainer  # noqa: PLC0415 - it looks for an engine when it is imported

    with RedpandaContainer(IMAGE) as container:
        yield container.get_bootstrap_server()


def _image_is_there() -> bool:
    import docker  # noqa: PLC0415 - likewise

    try:
        client = docker.from_env()
        client.images.get(IMAGE)
    except docker.errors.DockerException:
        return False
    return True
