"""The tests that the guide names for each invariant are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::(\w+)`")


def test_every_named_test_is_there() -> None:
    text = (ROOT / "docs/guide/invariants.md").read_text("utf-8")
    named = NAMED.findall(text)
    assert len(named) > 12
    for path, name in named:
        assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE), f"{path}::{name}"
    assert [row[2] for row in text.splitlines() if row.startswith("| ") and row[2].isdecimal()] == list("12345678")
