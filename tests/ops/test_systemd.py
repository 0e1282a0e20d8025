"""The units are sound, are confined, and say what the guide says."""

import re
import shlex
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


def said_by(unit: Path) -> list[str]:
    """The lines of a unit and of its drop-ins, in the order in which systemd takes them: the last word counts."""
    drop_ins = [*UNITS.glob("threadline-.service.d/*.conf"), *UNITS.glob(f"{unit.name}.d/*.conf")]
    files = [unit, *sorted(drop_ins, key=lambda each: each.name)]
    return [line for file in files for line in file.read_text().splitlines()]


def last(lines: list[str], name: str) -> str:
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")][-1]


def after_reset(lines: list[str], name: str) -> list[str]:
    """An empty value forgets what was said before, and for a folder its mode as well."""
    resets = [index for index, line in enumerate(lines) if line == f"{name}="]
    return lines[resets[-1] :] if resets else lines


def test_its_users_can_be_made(tmp_path: Path) -> None:
    if shutil.which("systemd-sysusers") is None:
        pytest.skip("users are made with systemd-sysusers, and it is not here: `apt-get install systemd`")
    (tmp_path / "etc").mkdir()
    made = ["systemd-sysusers", f"--root={tmp_path}", str(UNITS / "threadline.sysusers.conf")]
    subprocess.run(made, check=True)
    found = [line.split(":")[0] for line in (tmp_path / "etc/passwd").read_text().splitlines()]
    assert sorted(found) == ["threadline", "threadline-backup"]


def test_who_is_given_the_owners_address_shares_its_user_with_no_service() -> None:
    declared = re.findall(r"^u (\S+)", (UNITS / "threadline.sysusers.conf").read_text(), re.MULTILINE)
    given: dict[bool, set[tuple[str, str, str]]] = {True: set(), False: set()}
    for file in UNITS.glob("*.service"):
        lines = said_by(file)
        own = (last(lines, "User"), last(lines, "Group"), last(lines, "StateDirectory"))
        assert own[0] in declared
        assert last(after_reset(lines, "StateDirectory"), "StateDirectoryMode") == "0700"
        given["EnvironmentFile=/etc/threadline/owner.env" in lines].add(own)
    assert given == {True: {("threadline-backup",) * 3}, False: {("threadline",) * 3}}


def test_a_second_backup_of_a_day_has_another_name_and_the_newest_seven_are_kept(tmp_path: Path) -> None:
    lines = said_by(UNITS / "threadline-backup.service")
    program = tmp_path / "made"
    program.write_text('#!/bin/sh\nmkdir "$3"\n')
    program.chmod(0o755)
    days = [f"2025-01-0{day}T{hour}00" for day in range(1, 6) for hour in ("03", "15")]
    for each in [*days, "kept"]:
        (tmp_path / each).mkdir()
    for name in ("ExecStart", "ExecStartPost"):
        told = last(lines, name).replace("%%", "%").replace(PROGRAM, str(program))
        subprocess.run(shlex.split(told), env={"BACKUPS": str(tmp_path), "PATH": "/usr/bin:/bin"}, check=True)
    found = sorted(each.name for each in tmp_path.iterdir() if each.is_dir())
    assert found[:6] == days[4:]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d{4}", found[6])
    assert found[7:] == ["kept"]


def test_the_guide_names_each() -> None:
    guide = (ROOT / "docs/guide/systemd.md").read_text()
    for name in named():
        stem = name.partition("@")[0].partition(".")[0]
        assert stem in guide, name
