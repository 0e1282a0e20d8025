"""The units are sound, are confined, and say what the guide says."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from services.kit import http, process
from tests.ops.alerts import ROOT

UNITS = ROOT / "infra/systemd"
PROGRAM = "/opt/threadline/current/venv/bin/threadline"
CONFINED = 15
"""How exposed a service may be, in tenths."""
KNOWS_BACKOFF = 254


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units, with a program that is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("units are checked with systemd-analyze, and it is not here: `apt-get install systemd`")
    folder = tmp_path_factory.mktemp("units")
    shutil.copytree(UNITS, folder, dirs_exist_ok=True)
    program = folder / "threadline"
    program.touch(0o755)
    for file in folder.glob("*.service"):
        file.write_text(file.read_text().replace(PROGRAM, str(program)))
    if int(analyze(folder, "--version").split()[1]) < KNOWS_BACKOFF:
        (folder / "threadline-.service.d/20-backoff.conf").unlink()
    return folder


def analyze(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", *arguments],  # noqa: S607 - it is looked for on PATH
        env={"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin", "SYSTEMD_COLORS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def named() -> list[str]:
    files = [*UNITS.glob("*.service"), *UNITS.glob("*.timer"), *UNITS.glob("*.target")]
    return sorted(file.name.replace("@.", "@9102.") for file in files)


def test_systemd_finds_nothing_wrong_with_them(units: Path) -> None:
    assert analyze(units, "verify", *named()) == ""


def test_each_is_confined(units: Path) -> None:
    for name in (each for each in named() if each.endswith(".service")):
        told = analyze(units, "security", "--offline=true", "--no-pager", f"--threshold={CONFINED}", name)
        assert "Overall exposure level" in told


def test_they_are_given_the_time_that_a_service_takes_to_leave() -> None:
    takes = process.GRACE_S + process.CUT_SHORT_S + http.SHUTDOWN_S
    for file in UNITS.glob("*@.service"):
        [given] = re.findall(r"^TimeoutStopSec=(\d+)$", file.read_text(), re.MULTILINE)
        assert takes < int(given) <= takes + 10


def test_the_guide_names_each() -> None:
    guide = (ROOT / "docs/guide/systemd.md").read_text()
    for name in named():
        stem = name.partition("@")[0].partition(".")[0]
        assert stem in guide, name
