"""The tests that the guide names for each invariant, and for what a mention does, are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::(\w+)`")


@pytest.mark.parametrize("page", ["invariants.md", "what-it-does.md"])
def test_every_named_test_is_there(page: str) -> None:
    named = NAMED.findall(read(page))
    assert len(named) > 12
    for path, name in named:
        assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE), f"{path}::{name}"


def test_every_invariant_has_its_row() -> None:
    rows = read("invariants.md").splitlines()
    assert [row[2] for row in rows if row.startswith("| ") and row[2].isdecimal()] == list("12345678")


def test_every_test_of_the_pipeline_is_named() -> None:
    named = {name for _, name in NAMED.findall(read("what-it-does.md"))}
    for path in (ROOT / "tests/pipeline").glob("test_*.py"):
        assert set(re.findall(r"^async def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)) <= named, path.name


def read(page: str) -> str:
    """A page of the guide."""
    return (ROOT / "docs/guide" / page).read_text("utf-8")
