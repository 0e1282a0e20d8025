"""What commands print: names that go into the next command are never cut."""

import pytest
from rich.table import Table

from threadline.plain import plain_console, whole

NAME = "sample-t04xcuc4g2g"


def test_where_the_terminal_is_narrow_words_give_way_and_names_do_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    for first, stands in ((whole("tenant"), True), ("tenant", False)):
        table = Table(first, "name", "agents", "workspaces", box=None, pad_edge=False)
        table.add_row(NAME, "Acme (sample)", "mara (default), otto", "T04XCUC4G2G, T0LABORATORY")
        plain_console().print(table)
        assert (NAME in capsys.readouterr().out) == stands
