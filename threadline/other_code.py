"""A command by the code of another folder: a checkout of Threadline, or a release that was unpacked."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from services.kit.fault import Fault
from services.kit.settings import child_environment, variable

NEEDED: Final = ("threadline/__main__.py", "services/router/replay/replay.py", "schemas/__init__.py")
"""What a folder must hold that can decide again."""


def become_that_of(folder: Path, arguments: Sequence[str]) -> NoReturn:
    """Goes on as `threadline ARGUMENTS` of that code, in the same process: its output and its end are ours."""
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        what = f"--code {folder}: there is no {missing[0]} in it, so its code cannot take decisions again"
        raise Fault(f"{what}; nothing was read. It takes a checkout of Threadline, or a release that was unpacked")
    path = os.pathsep.join(filter(None, (str(folder.resolve()), variable("PYTHONPATH"))))
    command = [sys.executable, "-P", "-m", "threadline", *arguments]
    os.execve(sys.executable, command, child_environment({"PYTHONPATH": path}))  # noqa: S606 - it is ourselves
