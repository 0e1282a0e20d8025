"""The spool: whole after any crash, one owner, bounded, and its last tenth for what never comes again."""

import multiprocessing
import os
import resource
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from services.ingress.adapters.spool import KEPT_FOR_ONCE_ONLY, Spool
from services.ingress.adapters.spool_file import SpoolFailing, SpoolInUse, SpoolUnreadable
from services.ingress.adapters.spools import NoSpool, Spools
from tests.ingress.records import AT, record

ROOM = 1 << 20


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "spool-1.db"


def ids(spool: Spool) -> list[str]:
    return [waiting.record.id for waiting in spool.first(10_000)]


def test_it_gives_back_what_it_was_given_in_order(file: Path) -> None:
    given = [record(number) for number in range(5)]
    spool = Spool(file, ROOM)
    assert spool.append(given[:2]) == [True, True]
    assert spool.append(given[2:]) == [True, True, True]
    assert [waiting.record for waiting in spool.first(10)] == given
    spool.forget(spool.first(1))
    assert [waiting.record for waiting in spool.first(2)] == given[1:3]
    spool.close()


def test_places_are_never_given_twice(file: Path) -> None:
    """What is forgotten up to a place must not take what comes later with it."""
    spool = Spool(file, ROOM)
    spool.append([record(1)])
    spool.forget(spool.first(1))
    spool.close()
    spool = Spool(file, ROOM)
    spool.append([record(2)])
    assert [waiting.seq for waiting in spool.first(5)] == [2]
    spool.close()


def test_it_says_how_much_waits(file: Path) -> None:
    spool = Spool(file, ROOM)
    assert (spool.contents().records, spool.contents().size, spool.contents().oldest) == (0, 0, None)
    given = [record(number) for number in range(3)]
    spool.append(given)
    assert spool.contents().records == 3
    assert spool.contents().size == sum(each.size for each in given)
    assert spool.contents().oldest == AT
    spool.close()
    reopened = Spool(file, ROOM)
    assert reopened.contents().size == sum(each.size for each in given)
    reopened.close()


def test_every_commit_is_synced(file: Path) -> None:
    spool = Spool(file, ROOM)
    assert spool._connection is not None
    assert spool._connection.execute("pragma synchronous").fetchone()[0] == 2
    assert spool._connection.execute("pragma journal_mode").fetchone()[0] == "wal"
    spool.close()


def crashed(file: Path, length: int, into: Path) -> Path:
    """The spool as a power cut leaves it: its log written up to a byte and no further."""
    into.mkdir()
    copy = into / file.name
    shutil.copy(file, copy)
    log = (file.parent / f"{file.name}-wal").read_bytes()
    (into / f"{file.name}-wal").write_bytes(log[:length])
    return copy


def test_a_crash_at_any_byte_loses_nothing_and_tears_nothing(file: Path, tmp_path: Path) -> None:
    """After a commit is said to be durable, whatever byte of the next one the crash falls on changes nothing of it."""
    spool = Spool(file, ROOM)
    log = file.parent / f"{file.name}-wal"
    ends = []
    for number in range(4):
        spool.append([record(number, padding=200 * number)])
        ends.append(log.stat().st_size)
    spool.forget(spool.first(1))
    ends.append(log.stat().st_size)
    after = [["0"], ["0", "1"], ["0", "1", "2"], ["0", "1", "2", "3"], ["1", "2", "3"]]
    for length in range(ends[0], ends[-1] + 1, 13):
        into = tmp_path / f"crash-{length}"
        found = Spool(crashed(file, length, into), ROOM)
        numbers = [name.removeprefix("A1:T1:Ev") for name in ids(found)]
        found.close()
        committed = sum(end <= length for end in ends)
        assert numbers == after[committed - 1], length
        shutil.rmtree(into)
    spool.close()


def test_a_torn_or_spoilt_end_is_dropped_and_not_read(file: Path, tmp_path: Path) -> None:
    spool = Spool(file, ROOM)
    spool.append([record(0)])
    whole = (file.parent / f"{file.name}-wal").stat().st_size
    spool.append([record(1)])
    copy = crashed(file, 1 << 30, tmp_path / "spoilt")
    log = copy.parent / f"{copy.name}-wal"
    spoilt = bytearray(log.read_bytes())
    spoilt[whole + 200] ^= 0xFF
    log.write_bytes(bytes(spoilt))
    found = Spool(copy, ROOM)
    assert ids(found) == ["A1:T1:Ev0"]
    found.close()
    spool.close()


def _appends_until_killed(file: Path, said: "multiprocessing.connection.Connection") -> None:
    spool = Spool(file, 1 << 30)
    for number in range(1_000_000):
        spool.append([record(number)])
        said.send(number)


def test_kill_9_loses_nothing_that_was_said_to_be_durable(file: Path) -> None:
    for _ in range(3):
        spool = Spool(file, 1 << 30)
        if rows := spool.first(100_000):
            spool.forget(rows)
        spool.close()
        context = multiprocessing.get_context("spawn")
        hears, says = context.Pipe(duplex=False)
        child = context.Process(target=_appends_until_killed, args=(file, says))
        child.start()
        said = [hears.recv() for _ in range(50)]
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
        says.close()
        try:
            while True:
                said.append(hears.recv())
        except EOFError:
            pass
        found = Spool(file, 1 << 30)
        kept = [int(name.removeprefix("A1:T1:Ev")) for name in ids(found)]
        found.close()
        assert kept[: len(said)] == said
        assert len(kept) - len(said) in {0, 1}


def test_it_has_one_owner(file: Path) -> None:
    spool = Spool(file, ROOM)
    with pytest.raises(SpoolInUse, match="another process"):
        Spool(file, ROOM)
    spool.append([record(1)])
    spool.close()
    again = Spool(file, ROOM)
    assert ids(again) == ["A1:T1:Ev1"]
    again.close()


def test_it_is_bounded_and_its_last_tenth_is_for_what_never_comes_again(file: Path) -> None:
    spool = Spool(file, ROOM)
    events = [record(number, padding=10_000) for number in range(200)]
    places = spool.append(events)
    taken = places.count(True)
    assert ROOM * (1 - KEPT_FOR_ONCE_ONLY) - 11_000 < spool.contents().size <= ROOM * (1 - KEPT_FOR_ONCE_ONLY)
    assert all(places[:taken])
    clicks = spool.append([record(number, once_only=True, padding=10_000) for number in range(200, 300)])
    assert 0 < clicks.count(True) < 12
    assert spool.contents().size <= ROOM
    on_disk = sum(each.stat().st_size for each in file.parent.iterdir())
    assert on_disk < ROOM * 1.1 + 5_000_000
    spool.forget(spool.first(3))
    assert spool.append([record(1000, once_only=True)]) == [True]
    spool.close()


def append_many(spool: Spool) -> None:
    for number in range(1, 100):
        spool.append([record(number, padding=5_000)])


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_refuses_and_keeps_what_is_there(file: Path) -> None:
    spool = Spool(file, 1 << 30)
    spool.append([record(0)])
    with full_disk(100_000), pytest.raises(SpoolFailing, match="not acknowledged"):
        append_many(spool)
    kept = ids(spool)
    assert kept == [f"A1:T1:Ev{number}" for number in range(len(kept))]
    assert kept
    spool.append([record(500)])
    assert ids(spool)[-1] == "A1:T1:Ev500"
    spool.close()
    found = Spool(file, 1 << 30)
    assert ids(found) == [*kept, "A1:T1:Ev500"]
    found.close()


def test_a_disk_that_stays_full_keeps_nothing_from_being_drained(file: Path) -> None:
    """Taking out needs room, too. What was taken out once never comes again while the process lives."""
    spool = Spool(file, 1 << 30)
    with full_disk(100_000):
        with pytest.raises(SpoolFailing):
            append_many(spool)
        drained = []
        while rows := spool.first(3):
            drained += [waiting.record.id for waiting in rows]
            with suppress(SpoolFailing):
                spool.forget(rows)
        assert drained == [f"A1:T1:Ev{number}" for number in range(1, len(drained) + 1)]
        assert spool.contents().records == 0
        assert spool.append([record(500)]) == [True], "an empty file took the place of the full one"
    spool.close()
    found = Spool(file, 1 << 30)
    assert ids(found) == ["A1:T1:Ev500"]
    found.close()


def test_a_file_that_is_damaged_while_it_is_used_is_kept_and_another_is_used(file: Path) -> None:
    spool = Spool(file, 1 << 30)
    spool.append([record(number, padding=3_000) for number in range(50)])
    spool.close()
    spoilt = bytearray(file.read_bytes())
    half = len(spoilt) // 2
    spoilt[half:] = b"\xff" * (len(spoilt) - half)
    file.write_bytes(bytes(spoilt))
    spool = Spool(file, 1 << 30)
    with pytest.raises(SpoolUnreadable, match=r"kept as .*damaged-1, with 50 acknowledged envelopes"):
        spool.first(100)
    assert spool.append([record(7)]) == [True]
    assert ids(spool) == ["A1:T1:Ev7"]
    spool.close()
    assert file.with_name(f"{file.name}.damaged-1").exists()


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"\x00" * 5000])
def test_a_file_that_is_no_spool_is_left_alone(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(SpoolUnreadable, match="left as it is"):
        Spool(file, ROOM)
    assert file.read_bytes() == content


def test_a_database_of_somebody_elses_is_left_alone(file: Path) -> None:
    with sqlite3.connect(file) as other:
        other.execute("create table theirs (x)")
    other.close()
    with pytest.raises(SpoolUnreadable, match="no spool of this version"):
        Spool(file, ROOM)


def spools_in(folder: Path, prefix: str = "") -> Spools:
    return Spools(folder, prefix, ROOM)


def test_processes_take_the_first_spool_that_nobody_has(tmp_path: Path) -> None:
    spools = spools_in(tmp_path)
    one, first = spools.take("spool")
    two, second = spools.take("spool")
    letters, third = spools.take("letters")
    assert (one, two, letters) == ("spool-1", "spool-2", "letters-1")
    second.append([record(1)])
    second.close()
    mine = frozenset({one, letters})
    (found,) = spools.left_behind(mine)
    assert found.name == "spool-2"
    assert found.contents is not None
    assert found.contents.records == 1
    first.close()
    again, fourth = spools.take("spool")
    assert again == "spool-1"
    assert [(each.name, each.owned) for each in spools.all(mine)] == [
        ("letters-1", True),
        ("spool-1", True),
        ("spool-2", False),
    ]
    third.close()
    fourth.close()


def test_what_waits_for_other_topics_is_never_taken(tmp_path: Path) -> None:
    """An ingress that only observes must not write what another one acknowledged to its shadow topics."""
    _, spool = spools_in(tmp_path).take("spool")
    spool.append([record(1)])
    spool.close()
    _, other = spools_in(tmp_path, "shadow.").take("spool")
    assert other.records == 0
    other.close()


def test_a_damaged_spool_is_told_and_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spools = spools_in(tmp_path)
    spools.folder.mkdir()
    (spools.folder / "spool-1.db").write_bytes(b"no database at all" * 100)
    name, spool = spools.take("spool")
    assert name == "spool-2"
    assert "keep it, since acknowledged events may stand in it" in caplog.text
    assert [each.name for each in spools.left_behind(frozenset({name}))] == ["spool-1"]
    spool.close()


def test_where_every_spool_has_an_owner_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingress.adapters.spools.MOST", 1)
    spools = spools_in(tmp_path)
    _, taken = spools.take("spool")
    with pytest.raises(NoSpool, match="can be had"):
        spools.take("spool")
    taken.close()


def test_others_on_the_machine_cannot_read_it(tmp_path: Path) -> None:
    spools = spools_in(tmp_path / "spool")
    _, spool = spools.take("spool")
    spool.append([record(1)])
    assert spools.folder.stat().st_mode & 0o077 == 0
    assert all(each.stat().st_mode & 0o077 == 0 for each in spools.folder.iterdir())
    spool.close()


def test_what_stood_in_a_damaged_file_takes_nothing_out_of_the_next(file: Path) -> None:
    spool = Spool(file, 1 << 30)
    spool.append([record(number) for number in range(5)])
    under_way = spool.first(5)
    spool._damaged("a page is gone")
    spool.append([record(number) for number in range(5, 8)])
    spool.forget(under_way)
    assert ids(spool) == ["A1:T1:Ev5", "A1:T1:Ev6", "A1:T1:Ev7"]
    assert spool.contents().records == 3
    assert spool.set_aside == 1
    spool.close()


def test_totals_hold_whatever_could_not_be_taken_out(file: Path) -> None:
    spool = Spool(file, 1 << 30)
    spool.append([record(number) for number in range(6)])
    with full_disk(1), suppress(SpoolFailing):
        spool.forget(spool.first(4))
    spool.append([record(6)])
    spool.close()
    found = Spool(file, 1 << 30)
    assert ids(found) == ["A1:T1:Ev4", "A1:T1:Ev5", "A1:T1:Ev6"]
    assert found.contents().records == 3
    found.close()


def test_totals_that_cannot_be_right_are_counted(file: Path) -> None:
    spool = Spool(file, 1 << 30)
    spool.append([record(number) for number in range(3)])
    assert spool._connection is not None
    with spool._connection:
        spool._connection.execute("update totals set records = -2, size = 0")
    spool.close()
    found = Spool(file, 1 << 30)
    assert found.records == 3
    found.close()


def test_a_spool_that_could_not_be_opened_again_is_tried_again(file: Path) -> None:
    spool = Spool(file, 1 << 30)
    spool.append([record(1)])
    spool.close()
    file.rename(file.with_name("elsewhere.db"))
    file.mkdir()
    with pytest.raises(SpoolFailing, match="cannot be opened"):
        spool.append([record(2)])
    file.rmdir()
    assert spool.append([record(2)]) == [True]
    assert ids(spool) == ["A1:T1:Ev2"]
    spool.close()
