"""Stands for systemctl where systemd is not the first process: starts what units say, without what they confine.

    python systemctl.py ROOT daemon-reload | enable UNIT... | restart UNIT... | start UNIT... | stop UNIT...

Units stand below ROOT, and so does every path in them. A service whose program cannot be executed, or whose file of
settings is not there, fails its restart; the others are started all the same.
"""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

root = Path(sys.argv[1])
units = root / "etc/systemd/system"
state = root / "var/lib"


def lines_of(unit: str) -> list[tuple[str, str]]:
    """What a unit and its drop-ins say."""
    name, _, instance = unit.removesuffix(".service").partition("@")
    files = [units / f"{name}@.service", *sorted((units / "threadline-.service.d").glob("*.conf"))]
    found: list[tuple[str, str]] = []
    for line in "\n".join(file.read_text() for file in files).splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            if not value:
                found = [each for each in found if each[0] != key]
                continue
            found.append((key, value.replace("%i", instance).replace("%S", str(state))))
    return found


def environment_of(said: list[tuple[str, str]]) -> dict[str, str]:
    found = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}  # noqa: TID251 - as systemd gives it
    found |= dict(value.split("=", 1) for key, value in said if key == "Environment")
    for path in (value for key, value in said if key == "EnvironmentFile"):
        for line in (root / path.lstrip("/")).read_text().splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.partition("=")
                found[name] = value
    return found


def start(unit: str) -> bool:
    """Whether it could be started at all, which is what systemctl waits for with Type=exec."""
    try:
        run(unit)
    except OSError as error:
        sys.stderr.write(f"Job for {unit}.service failed: {error}\n")
        return False
    return True


def run(unit: str) -> None:
    said = lines_of(unit)
    [command] = [value for key, value in said if key == "ExecStart"]
    program, *arguments = shlex.split(command)
    folder = state / "threadline"
    folder.mkdir(parents=True, exist_ok=True)
    with (state / f"{unit}.log").open("ab") as log:
        child = subprocess.Popen(
            [str(root / program.lstrip("/")), *arguments],
            env=environment_of(said),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (state / f"{unit}.pid").write_text(str(child.pid))


def stop(named: list[str]) -> None:
    """All of them at the same time, as systemd does."""
    files = [file for unit in named if (file := state / f"{unit}.pid").exists()]
    pids = [int(file.read_text()) for file in files]
    for pid in pids:
        if not is_over(pid):
            os.kill(pid, signal.SIGTERM)
    for file, pid in zip(files, pids, strict=True):
        while not is_over(pid):
            time.sleep(0.05)
        file.unlink()


def is_over(pid: int) -> bool:
    """Whether it is only left for its parent to see."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


match [each for each in sys.argv[2:] if each != "--quiet"]:
    case ["--version"]:
        sys.stdout.write("systemd 252 (in place of it)\n")
    case ["daemon-reload"] | ["start", "threadline.target"]:
        pass
    case ["enable", "threadline.target", *named]:
        wants = units / "threadline.target.wants"
        wants.mkdir(exist_ok=True)
        for each in named:
            link = wants / f"{each}.service"
            if not link.is_symlink():
                link.symlink_to(units / f"{each.partition('@')[0]}@.service")
    case ["restart", *named]:
        stop(named)
        refused = [each for each in named if not start(each)]
        if refused:
            sys.exit(1)
    case ["stop", *named]:
        stop(named)
    case other:
        sys.exit(f"systemctl: {other} is not known here")
