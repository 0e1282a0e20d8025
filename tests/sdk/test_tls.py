"""A supervisor behind TLS: it is trusted only where its certificate is."""

import asyncio
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from services.kit.settings import child_environment
from tests.sdk.contract import Asked, Checkpoint
from tests.sdk.supervisor import TOKEN, Supervisor

AGENT = """
import asyncio, threading
from threadline_agent import agent_task, flush

async def main():
    async with agent_task("a", "Async") as task:
        print((await task.request_approval("deploy")).outcome)
        task.checkpoint("Decided")
        await task.until_cancelled()
    assert flush(30)

def plain():
    with agent_task("b", "Plain") as task:
        print(task.request_approval("deploy").outcome)

asyncio.run(main())
plain()
"""


@pytest.fixture
def secured() -> Supervisor:
    supervisor = Supervisor()
    supervisor.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    return supervisor


async def test_all_of_it_goes_over_tls(secured: Supervisor, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    assert secured.tls is not None
    authority.issue_cert("127.0.0.1").configure_cert(secured.tls)
    with secured.running():
        told = {"THREADLINE_AGENT_URL": secured.url, "THREADLINE_AGENT_TOKEN": TOKEN}
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-c", AGENT),
            env=child_environment({**told, "SSL_CERT_FILE": str(tmp_path / "ca.pem")}),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        (first,) = await asyncio.to_thread(secured.wait_for, Asked)
        secured.decide(first, "approved")
        await asyncio.to_thread(secured.wait_for, Checkpoint)
        secured.order(first.task_id, cancel={"by": "U1", "reason": None, "at": "2026-01-01T00:00:00Z"})
        _, second = await asyncio.to_thread(secured.wait_for, Asked, 2)
        secured.decide(second, "rejected")
        said, errors = await program.communicate()
    assert (said.decode().split(), errors.decode()) == (["approved", "rejected"], "")
    assert len(secured.story()) == 7


def test_a_certificate_of_nobody_known_is_not_trusted(secured: Supervisor) -> None:
    assert secured.tls is not None
    trustme.CA().issue_cert("127.0.0.1").configure_cert(secured.tls)
    with secured.running():
        told = {"THREADLINE_AGENT_URL": secured.url, "THREADLINE_AGENT_TOKEN": TOKEN}
        command = [sys.executable, "-m", "threadline_agent", "emit", "start", "--agent", "a", "--task-name", "A"]
        ended = subprocess.run(command, env=child_environment(told), capture_output=True, text=True, check=True)
    assert "its certificate is not trusted" in ended.stderr
    assert secured.taken == []
