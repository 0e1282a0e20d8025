"""Redpanda in Docker, where there is an engine that has its image."""

import shutil
import subprocess
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
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "image", "inspect", IMAGE], capture_output=True, check=False).returncode == 0
