"""`threadline demo`: every claim of it holds, and where a service does not do its work the demo says so."""

import re
import sys
from pathlib import Path

import pytest

from bench.beds.child import child
from bench.chaos.planted import BUGS

WITHIN_S = 240
SABOTAGE = """
import os, sys

if f"services.{os.environ['SABOTAGED']}" in sys.orig_argv:
    from bench.chaos.planted import BUGS

    BUGS[os.environ["BUG"]].plant()
"""
"""What Python runs before anything else: whichever way a service is started, it has the bug."""


async def played(folder: Path, **more: str) -> tuple[int, str]:
    """How it ended, and what it said."""
    command = (sys.executable, "-m", "threadline", "demo")
    told = {"THREADLINE_HOME": str(folder / "home"), **more}
    async with child(command, told, folder / "demo.log", folder) as running:
        return await running.process.wait(), running.said()


@pytest.mark.timeout(WITHIN_S)
async def test_every_claim_holds(tmp_path: Path) -> None:
    code, said = await played(tmp_path)
    assert "NOT SO" not in said, said
    assert re.search(r"^(\d\d) of \1 claims held", said, re.MULTILINE), said
    assert code == 0


@pytest.mark.timeout(WITHIN_S)
async def test_where_answers_do_not_come_it_says_so_and_ends_with_1(tmp_path: Path) -> None:
    code, said = await played(tmp_path, THREADLINE_ANSWER_WITHIN_S="1", THREADLINE_REHEARSAL_WORDS_PER_S="1")
    assert "NOT SO" in said
    assert code == 1


@pytest.mark.timeout(WITHIN_S)
@pytest.mark.parametrize("bug", ["grants_more", "hears_no_stop"])
async def test_where_a_service_is_sabotaged_it_says_so_and_ends_with_1(tmp_path: Path, bug: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(SABOTAGE, "utf-8")
    told = {"PYTHONPATH": f"{tmp_path}:{Path.cwd()}", "SABOTAGED": BUGS[bug].service, "BUG": bug}
    code, said = await played(tmp_path, **told)
    assert "NOT SO" in said, said
    assert code == 1
