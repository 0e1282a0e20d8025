"""The Docker engine of this machine: what it is told, the images it has, and those that are made where it has none."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from services.kit.settings import child_environment
from services.local import control
from services.local.home import LocalSettings
from tests.ops.composed import in_dockerfile

ROOT = Path(__file__).parents[2]
PARTS = ROOT / "tests/engine/parts"

BASE = "threadline-base"
"""Debian with Python, where the base that infra/Dockerfile names cannot be pulled."""
STAND_INS = "threadline-parts"

OFFICIAL_PYTHON = in_dockerfile("PYTHON")


async def said(
    *arguments: str, stdin: str | None = None, code: int = 0, environment: Mapping[str, str] | None = None
) -> str:
    """Runs a program; gives what it says."""
    running = await asyncio.create_subprocess_exec(
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=child_environment(environment or {}),
    )
    out, err = await running.communicate(stdin.encode() if stdin is not None else None)
    assert running.returncode == code, f"{' '.join(arguments)}: {out.decode()}{err.decode()}"
    return out.decode()


async def has(image: str) -> bool:
    """Whether the engine has an image, or can pull it."""
    looked = await asyncio.create_subprocess_shell(
        f"docker image inspect {image} || docker pull {image}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await looked.wait() == 0


async def python_image(folder: Path) -> str:
    """The base of our image: the one that its Dockerfile names, or one that is made here."""
    if await has(OFFICIAL_PYTHON):
        return OFFICIAL_PYTHON
    if BASE not in await said("docker", "images", "--format", "{{.Repository}}"):
        root = folder / "base"
        packages = "python3,python3-venv,ca-certificates"
        await said("debootstrap", "--variant=minbase", f"--include={packages}", "bookworm", str(root))
        # A machine behind a proxy of its own trusts more than Debian does.
        trusted = Path("/etc/ssl/certs/ca-certificates.crt")
        shutil.copyfile(trusted, root / trusted.relative_to("/"))
        await said("sh", "-c", f"tar -C {root} -c . | docker import - {BASE}:bookworm")
        shutil.rmtree(root)
    return f"{BASE}:bookworm"


async def make_stand_ins(python: str, folder: Path) -> None:
    """The image of what stands in for Redpanda, Postgres, Prometheus and nginx."""
    context = folder / "parts"
    shutil.copytree(PARTS, context)
    shutil.copyfile(ROOT / "requirements.lock", context / "requirements.lock")
    (context / "jars").mkdir()
    for jar in control.fetch_programs(LocalSettings(home=folder / "home"), ()):
        shutil.copyfile(jar, context / "jars" / jar.name)
    arguments = [f"--build-arg={name}={value}" for name, value in {"PYTHON": python, **of_pip()}.items()]
    await said("docker", "build", "-q", *arguments, "--tag", STAND_INS, str(context), environment=OLD_BUILDER)


OLD_BUILDER = {"DOCKER_BUILDKIT": "0"}
"""An engine of Debian's has no other."""


def of_pip() -> dict[str, str]:
    """Where this machine's packages come from, where that is somewhere else."""
    return {
        name: value
        for name in ("PIP_INDEX_URL", "PIP_TRUSTED_HOST")
        if (value := os.environ.get(name))  # noqa: TID251 - it is pip's, and no setting of ours
    }
