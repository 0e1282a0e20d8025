"""The reports in docs/artifacts are what their commands make of the logs beside them, byte for byte."""

import re
import shlex
from pathlib import Path

from tests.commands import said

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "docs/artifacts"
MADE = ("usual", "slower", "drift")


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(each.relative_to(folder)): each.read_bytes()
        for part in MADE
        for each in (folder / part).rglob("*")
        if each.is_file()
    }


async def test_their_commands_make_them_anew(tmp_path: Path) -> None:
    copied = tmp_path / "docs/artifacts"
    copied.mkdir(parents=True)
    for given in (*ARTIFACTS.glob("*.parquet"), ARTIFACTS / "thresholds.yaml"):
        (copied / given.name).symlink_to(given)
    lines = re.findall(r"^threadline (report .*)$", (ARTIFACTS / "README.md").read_text("utf-8"), re.MULTILINE)
    assert len(lines) == 4
    for line in lines:
        words = shlex.split(line)
        await said({"THREADLINE_HOME": str(tmp_path / "home")}, tmp_path, *words)
    assert files_in(copied) == files_in(ARTIFACTS)


async def test_the_other_way_round_programs_got_slower(tmp_path: Path) -> None:
    slower, usual = (str(ARTIFACTS / each / "gateway/baseline.json") for each in ("slower", "usual"))
    words = ("report", "drift", usual, slower, "--thresholds", str(ARTIFACTS / "thresholds.yaml"))
    assert "6 got worse" in await said({"THREADLINE_HOME": str(tmp_path / "home")}, tmp_path, *words, code=1)
