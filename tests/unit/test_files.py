from collections.abc import Iterator
from pathlib import Path

import pytest

from services.kit.files import write_pieces, write_whole


def test_two_with_the_same_number_that_write_at_once_leave_a_whole_file(tmp_path: Path) -> None:
    """As processes of two containers have it."""
    file = tmp_path / "kept"

    def meanwhile() -> Iterator[bytes]:
        yield b"one "
        write_whole(file, b"two")
        yield b"of mine"

    write_pieces(file, meanwhile())
    assert file.read_bytes() == b"one of mine"
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    write_whole(tmp_path / "kept", b"it")
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o600


def test_where_a_piece_does_not_come_the_file_is_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "kept"
    write_whole(file, b"before")

    def broken() -> Iterator[bytes]:
        yield b"af"
        raise EOFError

    with pytest.raises(EOFError):
        write_pieces(file, broken())
    assert file.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]
