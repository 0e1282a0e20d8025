import socket
from pathlib import Path

import pytest

from services.local.home import LocalFault
from services.local.ports import HOST, choose, claim, is_free


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
