import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.deployment import Deployment, write_env
from tests.engine.docker import OLD_BUILDER, PARTS, ROOT, has, make_stand_ins, of_pip, python_image, said

COMPOSE = ROOT / "infra/compose.yaml"
PULLED = ("redpandadata/redpanda:v25.3.9", "postgres:18.3", "prom/prometheus:v3.5.0")

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
    image = ("--file", str(ROOT / "infra/Dockerfile"), "--tag", "threadline:0.1.0")
    await said("docker", "build", "-q", *of_pip(python), *image, str(ROOT), environment=OLD_BUILDER)
    files: tuple[Path, ...] = (COMPOSE,)
    if not all([await has(each) for each in PULLED]):
        await make_stand_ins(python, folder)
        files = (COMPOSE, PARTS / "compose.yaml")

    env_file = folder / "env"
    given = {
        "COMPOSE_PROFILES": "simulator,proxy",
        **{name: secrets.token_hex(24) for name in ("POSTGRES_PASSWORD", "OWNER_PASSWORD", "SERVICE_PASSWORD")},
        "GRAFANA_PASSWORD": secrets.token_hex(12),
        "THREADLINE_SEALING_KEYS": (
            await said("docker", "run", "--rm", "threadline:0.1.0", "secrets", "new-key")
        ).strip(),
        "THREADLINE_INGRESS_HTTP": "true",
        "THREADLINE_RESPONDER_HTTP": "true",
        "THREADLINE_TOPIC_PARTITIONS": "4",
        **dict.fromkeys(("SLACK_SIM_PORT", "PROMETHEUS_PORT", "PROXY_PORT"), "0"),
    }
    write_env(env_file, given)
    made = Deployment(f"threadline-{secrets.token_hex(3)}", files, env_file)
    try:
        await made.compose("up", "--detach", "slack-sim")
        await made.until_healthy("slack-sim")
        printed = await made.compose("logs", "--no-log-prefix", "slack-sim")
        tokens = [line for line in printed.splitlines() if line.startswith("export ")]
        with env_file.open("a", encoding="utf-8") as file:
            file.write("\n".join(tokens) + "\n")
        async with made.talking():
            first = made.first
        await made.up()
        await made.threadline("directory", "apply", "-", stdin=DIRECTORY.format(team=first.team, app=first.app.id))
        yield made
    finally:
        await made.compose("--profile", "*", "down", "--volumes", "--remove-orphans")
