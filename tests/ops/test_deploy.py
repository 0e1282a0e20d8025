"""A release is brought to a machine, here and over ssh, and taken back where it is ill; its services answer."""

import asyncio
import os
import re
import shutil
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.beds.responder import environment_of
from bench.beds.router import describe
from services.directory.document import Document
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.kit.settings import child_environment
from services.local import ports
from services.slack_sim.app import slack_sim
from services.slack_sim.client import SlackSim, slack_sim_at
from services.slack_sim.control.conditions import AMessage
from services.slack_sim.settings import SlackSimSettings
from tests.ops.alerts import ROOT
from tests.responder.conftest import tenant
from tests.slack_sim.first import First

SYSTEMCTL = ROOT / "tests/ops/systemctl.py"
SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
NETWORK = ("UV_", "PIP_", "SSL_", "HTTP_", "HTTPS_", "NO_PROXY", "http_", "https_", "no_proxy")
FINDS_UV = {
    **{name: value for name, value in os.environ.items() if name.startswith(NETWORK)},  # noqa: TID251 - as it is here
    "PATH": f"{ROOT / '.uv/bin'}:{os.environ['PATH']}",  # noqa: TID251 - likewise
    "UV_COMPILE_BYTECODE": "0",
}
"""A machine may have uv. What Python compiles it compiles here when it is first imported."""
AGENTS = {"THREADLINE_SUPERVISOR_HTTP_PORT": "0"}
"""A free port: tests beside this one start supervisors, too."""
ILL = "systemd/threadline-.service.d/10-threadline.conf"


async def ran(*command: str | Path, code: int = 0, **more: str) -> str:
    """Runs a program; gives all that it says."""
    program = await asyncio.create_subprocess_exec(
        *map(str, command),
        env=child_environment({**FINDS_UV, **more}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await program.communicate()
    assert program.returncode == code, told.decode()
    return told.decode()


class Machine:
    """A folder that is deployed to, as if it were a machine."""

    def __init__(self, root: Path) -> None:
        self.root, self.systemctl = root, f"{sys.executable} {SYSTEMCTL} {root}"
        self.units = [f"threadline-{name}@{ports.free()}" for name in ("ingress", "router", "responder", "supervisor")]

    async def deploy(self, bundle: Path, *more: str, code: int = 0, ssh: str = "ssh") -> str:
        arguments: tuple[str | Path, ...] = ("--root", self.root, "--bundle", bundle, *more)
        given = {"DEPLOY_SYSTEMCTL": self.systemctl, "DEPLOY_SSH": ssh}
        return await ran(ROOT / "infra/deploy", *arguments, code=code, **given)

    async def control(self, *arguments: str) -> None:
        await ran(*self.systemctl.split(), *arguments)

    @property
    def runs(self) -> str:
        return (self.root / "opt/threadline/current").resolve().name

    def configure(self, told: dict[str, str], owner: str = "") -> None:
        folder = self.root / "etc/threadline"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "threadline.env").write_text("".join(f"{name}={value}\n" for name, value in told.items()))
        (folder / "owner.env").write_text(f'THREADLINE_DATABASE_OWNER_URL="{owner}"\n')
        (self.root / "etc/systemd/system").mkdir(parents=True, exist_ok=True)

    def forget_owner(self) -> None:
        (self.root / "etc/threadline/owner.env").unlink()


@asynccontextmanager
async def sshd(folder: Path) -> AsyncIterator[str]:
    """A server on this machine that lets us in, and hides what is written from others. Gives how it is reached."""
    assert SSHD is not None
    folder.mkdir()  # noqa: ASYNC240 - it waits for nobody
    for key in ("host", "ours"):
        await ran("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key)
    shutil.copy(folder / "ours.pub", folder / "allowed")
    port = ports.free()
    options = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "allowed",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "prohibit-password",
        "SetEnv": " ".join(f'"{name}={value}"' for name, value in FINDS_UV.items()),
    }
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in options.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # noqa: ASYNC240 - it asks for it there
    with (folder / "log").open("wb") as log:
        server = await asyncio.create_subprocess_exec(
            SSHD, "-D", "-e", "-f", folder / "config", stderr=log, umask=0o077
        )
    client = f"ssh -p {port} -i {folder / 'ours'} -o StrictHostKeyChecking=no -o UserKnownHostsFile={folder / 'known'}"
    try:
        yield f"{client} -o ConnectionAttempts=20 -o BatchMode=yes"
    finally:
        server.terminate()
        await server.wait()


async def is_answered(sim: SlackSim, first: First) -> None:
    ts = await sim.say(first.you, first.support, f"<@{first.bot_user}> are you there?")
    await sim.wait(AMessage(channel_id=first.support, thread_ts=ts, user_id=first.bot_user), 60)


def ill(bundle: Path, folder: Path) -> Path:
    """The same, with services whose program cannot be executed: systemd refuses to start them."""
    shutil.copytree(bundle, folder)
    with (folder / ILL).open("a") as said:
        said.write("ExecStart=\nExecStart=/opt/threadline/current/bundle/requirements-production.lock\n")
    return folder


def hidden(folder: Path) -> list[Path]:
    """What another user of the machine could not read."""
    return [each for each in folder.rglob("*") if not each.is_symlink() and not each.stat().st_mode & stat.S_IROTH]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A bundle with nothing in its wheel, which everybody may write: enough to be looked at."""
    folder = tmp_path / "small"
    shutil.copytree(ROOT / "infra/systemd", folder / "systemd")
    shutil.copy(ROOT / "infra/deploy", folder)
    (folder / "threadline-1.0-py3-none-any.whl").touch()
    (folder / "requirements-production.lock").touch()
    folder.chmod(0o777)
    return folder


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    found = Machine(tmp_path / "machine")
    yield found
    if found.root.exists():
        await found.control("stop", *found.units)


@pytest.mark.skipif(SSHD is None, reason="a deployment over ssh needs a server: `apt-get install openssh-server`")
async def test_a_release_is_brought_here_and_one_that_is_ill_is_taken_back(
    topics: KafkaSettings, database: DatabaseSettings, machine: Machine, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    await ran(ROOT / "dev", "wheel", bundle)
    async with (
        slack_sim(SlackSimSettings(slack_sim_port=0, slack_sim_seed="test")) as simulation,
        slack_sim_at(simulation.address) as sim,
    ):
        world = await sim.world()
        first = First.of(world)
        await describe(database, Document(version=1, tenants=(tenant(first),)))
        owner = database.database_owner_url
        told = environment_of(sim.api_url, world, topics, database) | {"THREADLINE_HTTP_HOST": "127.0.0.2", **AGENTS}
        machine.configure(told, owner.get_secret_value() if owner is not None else "")
        assert "would run" in await machine.deploy(bundle, "--dry-run")
        assert not (machine.root / "opt").exists()
        await machine.control("enable", "threadline.target", *machine.units)

        async with sshd(tmp_path / "ssh") as ssh:
            said = await machine.deploy(bundle, "127.0.0.1", ssh=ssh)
        assert said.count("is well") == len(machine.units)
        assert "the tables are at" in said
        sound = machine.runs
        assert not hidden(machine.root / "opt/threadline")
        await is_answered(sim, first)
        assert f"release {sound} is there already" in await machine.deploy(bundle, "--dry-run")

        machine.forget_owner()
        said = await machine.deploy(ill(bundle, tmp_path / "ill"), code=1)
        assert "the tables are left as they are" in said
        assert said.count("Permission denied") == len(machine.units)
        assert f"release {sound} runs again" in said
        assert machine.runs == sound
        await is_answered(sim, first)


async def test_what_it_cannot_do_is_told_before_anything_is_changed(machine: Machine, small: Path) -> None:
    assert "--within needs whole seconds" in await machine.deploy(small, "--within", "5.5", code=1)
    assert "threadline.env is missing" in await machine.deploy(small, code=1)
    machine.configure({"THREADLINE_HTTP_PORT": "9101"})
    assert "one THREADLINE_HTTP_PORT; take the line out" in await machine.deploy(small, code=1)
    (small / "threadline-0.9-py3-none-any.whl").touch()
    assert "holds 2 wheels" in await machine.deploy(small, code=1)
    assert not (machine.root / "opt").exists()


@pytest.mark.parametrize("part", ["deploy", "systemd/threadline-report.timer", ILL, "systemd/threadline.sysusers.conf"])
async def test_a_part_that_changed_makes_another_release(machine: Machine, small: Path, part: str) -> None:
    machine.configure({})
    before = await machine.deploy(small, "--dry-run")
    assert before == await machine.deploy(small, "--dry-run")
    with (small / part).open("a") as changed:
        changed.write("# changed\n")
    assert _starting(before) != _starting(await machine.deploy(small, "--dry-run"))


def _starting(said: str) -> str:
    [found] = re.findall(r"starting release (1\.0-[0-9a-f]{12}):", said)
    return str(found)


async def test_what_is_unpacked_there_is_its_makers_alone_and_needs_no_right_to_be_executed(
    machine: Machine, small: Path, tmp_path: Path
) -> None:
    (small / "deploy").write_text('stat -c "%u %a" "$(dirname "$0")" "$0"\n')
    (small / "deploy").chmod(0o644)
    if os.geteuid() == 0:
        for each in (small, small / "deploy"):
            os.chown(each, 4242, 4242)
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\nshift\nexec sh -c "$*"\n')
    ssh.chmod(0o755)
    said = await machine.deploy(small, "there", ssh=str(ssh))
    assert said.splitlines() == ["deploy: to there", f"{os.geteuid()} 700", f"{os.geteuid()} 644"]
