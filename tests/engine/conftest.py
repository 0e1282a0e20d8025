import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.kit.secrets.sealing import new_key
from tests.engine.deployment import Deployment, write_env
from tests.engine.docker import PARTS, has, make_stand_ins, of_pip, python_image
from tests.ops.composed import COMPOSE, SERVICES

PULLED = [SERVICES[name]["image"] for name in ("redpanda", "postgres", "prometheus", "proxy")]

DIRECTORY = """
version: 1
tenants:
  - id: acme
    name: Acme
    connections: [{{workspace: {team}}}]
    installations: [{{app: {app}, workspace: {team}, secrets: env}}]
    agents: [{{id: mara, name: Mara, role: Customer Support, persona: Professional, default: true}}]
    limits: [{{scope: connection, per_minute: 1000}}]
"""


@pytest.fixture(scope="session")
async def deployment(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """All of it as the guide says it is started for the first time, with the local Slack."""
    folder = tmp_path_factory.mktemp("compose")
    python = await python_image(folder)
    files: tuple[Path, ...] = (COMPOSE,)
    if not all([await has(each) for each in PULLED]):
        await make_stand_ins(python, folder)
        files = (COMPOSE, PARTS / "compose.yaml")

    given = {
        "COMPOSE_PROFILES": "simulator,proxy",
        **{name: secrets.token_hex(24) for name in ("POSTGRES_PASSWORD", "OWNER_PASSWORD", "SERVICE_PASSWORD")},
        "GRAFANA_PASSWORD": secrets.token_hex(12),
        "THREADLINE_SEALING_KEYS": new_key(),
        "THREADLINE_INGRESS_HTTP": "true",
        "THREADLINE_RESPONDER_HTTP": "true",
        "THREADLINE_TOPIC_PARTITIONS": "4",
        **dict.fromkeys(("SLACK_SIM_PORT", "PROMETHEUS_PORT", "PROXY_PORT"), "0"),
        **of_pip(),
        "PYTHON_IMAGE": python,
    }
    made = Deployment(f"threadline-{secrets.token_hex(3)}", files, folder / "env")
    write_env(made.env_file, given)
    await made.compose("build")
    try:
        await made.compose("up", "--detach", "slack-sim")
        await made.until_healthy("slack-sim")
        printed = await made.compose("logs", "--no-log-prefix", "slack-sim")
        tokens = [line for line in printed.splitlines() if line.startswith("export ")]
        with made.env_file.open("a", encoding="utf-8") as file:
            file.write("\n".join(tokens) + "\n")
        async with made.talking():
            first = made.first
        await made.up()
        await made.threadline("directory", "apply", "-", stdin=DIRECTORY.format(team=first.team, app=first.app.id))
        yield made
    finally:
        await made.compose("--profile", "*", "down", "--volumes", "--remove-orphans")
