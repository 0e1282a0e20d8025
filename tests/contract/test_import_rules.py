"""The rooms' walls: the tree keeps them, and a planted hole in each is found."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HOLES = {
    "schemas/hole.py": "import services.kit.clock",
    "services/kit/hole.py": "import services.local.home",
    "services/directory/hole.py": "import services.router",
    "services/router/hole.py": "import services.responder",
    "services/responder/hole.py": "import services.router",
    "services/report/hole.py": "import services.local.home",
    "services/local/hole.py": "import threadline.running",
    "services/router/adapters/hole.py": "import services.router.app",
    "services/router/decisions/hole.py": "import services.router.adapters",
    "services/router/decisions/gates/hole.py": "import services.kit.clock",
    "services/responder/decisions/hole.py": "import services.directory",
    "services/report/decisions/hole.py": "import services.report.settings",
    "services/kit/agent_hole.py": "import threadline_agent",
    "schemas/agent_hole.py": "import threadline_agent.status",
    "threadline_agent/hole.py": "import schemas.agent",
    "threadline_agent/another_hole.py": "import services.kit.clock",
    "services/router/decisions/faust_hole.py": "import faust",
    "services/router/decisions/aiokafka_hole.py": "import aiokafka",
    "services/router/decisions/sqlalchemy_hole.py": "import sqlalchemy",
    "services/router/decisions/bolt_hole.py": "import slack_bolt",
    "services/router/decisions/sdk_hole.py": "import slack_sdk",
    "services/router/decisions/otel_hole.py": "import opentelemetry",
}
SERVICES = ("ingress", "router", "responder", "supervisor", "report", "slack_sim")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which every room stands, as it will when all are built."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("schemas", "services", "threadline"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "exported", "examples"))
    shutil.copytree(ROOT / "sdk/threadline_agent", tree / "threadline_agent")
    shutil.copy(ROOT / "pyproject.toml", tree)
    for room in (*SERVICES, "directory"):
        for package in ("", "adapters", "decisions", "decisions/gates"):
            folder = tree / "services" / room / package
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "__init__.py").touch()
        for module in ("app.py", "settings.py"):
            (tree / "services" / room / module).touch()
    return tree


def lint(tree: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def test_the_walls_hold(tree: Path) -> None:
    found = lint(tree)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("hole", HOLES)
def test_a_planted_hole_is_found(tree: Path, hole: str) -> None:
    path = tree / hole
    path.write_text(HOLES[hole] + "\n")
    try:
        found = lint(tree)
    finally:
        path.unlink()
    assert found.returncode == 1, found.stdout + found.stderr
    assert hole.removesuffix(".py").replace("/", ".") in found.stdout
