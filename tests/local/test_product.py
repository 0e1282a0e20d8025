"""Where what `threadline up` starts is told to listen."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from services.kit.groups import SlackSettings
from services.local import kafka, postgres
from services.local.home import Home, LocalSettings
from services.local.product import AGENTS_PORT, Product
from services.local.program import Program

STACK = (
    Program(name=postgres.NAME, address="127.0.0.1:1/threadline"),
    Program(name=kafka.NAME, command=("java",), address="127.0.0.1:2"),
)


@contextmanager
def product(folder: Path, cache: Path) -> Iterator[Product]:
    home = Home.of(LocalSettings(home=folder, cache=cache))
    home.make()
    with closing(Product(home, lambda *_: None, SlackSettings())) as made:
        made.programs(STACK)
        yield made


def test_where_the_port_for_agents_is_taken_they_report_at_another_that_stays(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with suppress(OSError):  # somebody else on this machine has it, which is as good
            stack.enter_context(socket.create_server(("127.0.0.1", AGENTS_PORT)))
        with product(tmp_path / "home", tmp_path / "cache") as first:
            assert first.agents is not None
            assert not first.agents.endswith(f":{AGENTS_PORT}")
        with product(tmp_path / "home", tmp_path / "cache") as again:
            assert again.agents == first.agents


def test_two_starts_at_once_share_no_port(tmp_path: Path) -> None:
    with product(tmp_path / "one", tmp_path / "cache") as one, product(tmp_path / "other", tmp_path / "cache") as other:
        assert one.agents != other.agents
        assert one.chat != other.chat


def test_a_port_that_was_chosen_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADLINE_SUPERVISOR_HTTP_PORT", "4001")
    with product(tmp_path / "home", tmp_path / "cache") as found:
        assert found.agents is None
        assert "THREADLINE_SUPERVISOR_HTTP_PORT" not in found.told
