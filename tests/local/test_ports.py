import socket
from pathlib import Path

import pytest

from services.local import ports
from services.local.home import LocalFault
from services.local.ports import HOST, choose, claim, free, is_free


def test_a_free_port_stays_the_same_from_start_to_start(tmp_path: Path) -> None:
    first = choose("kafka", 0, tmp_path / "ports", set())
    assert choose("kafka", 0, tmp_path / "ports", set()) == first


def test_two_programs_never_get_one_port(tmp_path: Path) -> None:
    taken: set[int] = set()
    assert choose("a", 0, tmp_path / "ports", taken) != choose("b", 0, tmp_path / "ports", taken)


def test_a_port_that_somebody_took_meanwhile_is_replaced(tmp_path: Path) -> None:
    first = choose("kafka", 0, tmp_path / "ports", set())
    with socket.create_server((HOST, first)):
        assert choose("kafka", 0, tmp_path / "ports", set()) != first


def test_a_chosen_port_that_is_taken_is_a_fault_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(LocalFault, match=f"port {port} for kafka is taken.*THREADLINE_LOCAL_KAFKA_PORT"):
            choose("kafka", port, tmp_path / "ports", set())


def test_a_free_port_is_none_that_the_system_gives_to_whoever_asks_for_any() -> None:
    """Else it may be somebody's by the time that the program for which it was chosen listens there."""
    given = []
    for _ in range(50):
        with socket.create_server((HOST, 0)) as server:
            given.append(server.getsockname()[1])
    chosen = [free() for _ in range(50)]
    assert max(chosen) < min(given)
    assert len(set(chosen)) > 1


def test_where_somebody_listens_is_no_free_port(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free()
    with socket.create_server((HOST, first)):
        monkeypatch.setattr(ports, "CHOSEN_FROM", range(first, first + 1))
        with pytest.raises(LocalFault, match=f"no port from {first} to {first} is free"):
            free()


def test_a_damaged_ports_file_is_as_none(tmp_path: Path) -> None:
    (tmp_path / "ports").write_text("[not json")
    assert choose("kafka", 0, tmp_path / "ports", set()) > 0


def test_a_port_that_everybody_likes_has_one_owner_at_a_time(tmp_path: Path) -> None:
    first = claim(8585, tmp_path)
    assert first is not None
    assert claim(8585, tmp_path) is None
    first.close()
    again = claim(8585, tmp_path)
    assert again is not None
    again.close()
