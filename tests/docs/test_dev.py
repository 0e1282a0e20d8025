"""`./dev` itself, run as a newcomer runs it."""

import re
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from services.kit.settings import child_environment

ROOT = Path(__file__).parents[2]


def dev(*arguments: str, cwd: Path = ROOT, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(cwd / "dev"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=child_environment(environment),
        timeout=100,
    )


def test_up_starts_the_stack_and_ctrl_c_stops_it(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [str(ROOT / "dev"), "up"],
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment({"THREADLINE_HOME": str(tmp_path / "home")}),
    )
    assert child.stdout is not None
    lines: list[str] = []
    while not any("kafka | ready" in line for line in lines):
        lines.append(child.stdout.readline())
        assert lines[-1], lines
    parts = psutil.Process(child.pid).children(recursive=True)
    child.send_signal(signal.SIGINT)
    assert child.wait(60) == 0
    child.stdout.close()
    assert parts
    assert not any(part.is_running() and part.status() != psutil.STATUS_ZOMBIE for part in parts)


def test_arguments_of_test_go_to_pytest() -> None:
    done = dev("test", "--version")
    assert (done.returncode, done.stdout.startswith("pytest")) == (0, True)


def test_every_command_of_the_usage_is_known() -> None:
    usage = dev("help").stdout
    script = (ROOT / "dev").read_text()
    for command in re.findall(r"^  (\w+)", usage, re.MULTILINE):
        assert re.search(rf"^    (\w+ \| )*{command}( \| \w+)*\)$", script, re.MULTILINE), command


def test_what_is_not_there_says_so_and_exits_2() -> None:
    done = dev("dance")
    assert done.returncode == 2
    assert "there is no command 'dance'" in done.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that has nothing installed."""
    for name in ("dev", "pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "dev").chmod(0o755)
    return tmp_path


def stand_in(folder: Path, name: str, body: str) -> None:
    """A program of this name that is found before any other."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def only(folder: Path) -> str:
    """A PATH with nothing but a few words of the system's and what stands in the folder."""
    folder.mkdir(exist_ok=True)
    for tool in ("sh", "sed", "cat", "cksum", "dirname", "rm", "mv", "mktemp"):
        found = subprocess.run(["/bin/sh", "-c", f"command -v {tool}"], capture_output=True, text=True, check=True)
        (folder / tool).symlink_to(found.stdout.strip())
    return str(folder)


@pytest.mark.parametrize(
    ("python", "says"),
    [
        (None, "Python 3.11 or newer is needed and none was found"),
        ("exit 1", "Python 3.11 or newer is needed and none was found"),
        ('case "$2" in *venv*) exit 1 ;; *executable*) echo "$0" ;; esac', "has no venv module"),
    ],
)
def test_what_a_machine_lacks_is_said_in_one_line(checkout: Path, python: str | None, says: str) -> None:
    path = only(checkout / "bin")
    if python is not None:
        stand_in(checkout / "bin", "python3", python)
    done = dev("test", cwd=checkout, PATH=path, PYTHON="")
    assert done.returncode == 1
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_a_network_it_says_so(checkout: Path) -> None:
    done = dev(
        "test",
        cwd=checkout,
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_RETRIES="0",
        UV_INDEX_URL="http://127.0.0.1:9/simple",
        UV_CACHE_DIR=str(checkout / "cache"),
        PIP_NO_CACHE_DIR="1",
        PATH=":".join(part for part in child_environment({})["PATH"].split(":") if not (Path(part) / "uv").exists()),
    )
    assert done.returncode == 1
    assert "is the network there?" in done.stderr.splitlines()[-1]
    assert not any("Traceback" in line or "WARNING" in line for line in done.stderr.splitlines())
    assert not (checkout / ".venv/.stamp").exists()
