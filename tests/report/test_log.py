"""The log as files: from topics to lines or columns and back, with nothing lost and nothing added."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from schemas.lines import Kept, NoRecord
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.admin import admin_client
from services.kit.settings import as_environment, child_environment
from services.report.adapters import exporting, jsonl, parquet, sources
from services.report.adapters.batch import Batch, Stretch, silent
from services.report.adapters.topics import NoTopics, Topics, Unreachable
from services.report.decisions.columns import EVENT
from tests.commands import Command
from tests.conftest import fresh, topics_of
from tests.report.log import Event, put, record
from threadline.reporting import AUDIT

AT = "2026-03-02T09:15:00.250000Z"


def odd_log() -> list[Kept]:
    """Sound events, and all that may stand beside them."""
    sound: list[bytes | Event] = [
        {"type": "run.state", "at": AT, "state": "start", "run_id": f"run-{number}", "tenant_id": "acme"}
        for number in range(40)
    ]
    skips = [{"type": "reaction.skip", "at": AT, "reason": "channel", "tenant_id": "ä\u2028ö"} for _ in range(9)]
    values: list[bytes | Event] = [*sound, *skips]
    values += [b"{", b"", b"\xff\xfe", b"5", b"null", b'{\n"type": "reaction.skip"\n}', b'{"type":"run.dreams"}']
    made = [record(value, offset, key=f"key-{offset % 7}".encode()) for offset, value in enumerate(values)]
    return [
        *made,
        replace(made[0], key=None),
        replace(made[1], key=b"\xff\x00"),
        replace(made[2], value=None),
        replace(made[3], headers=()),
        replace(made[4], headers=(("odd", b"\xff"), ("odd", b""), ("none", None), *made[4].headers)),
    ]


def ordered(records: Iterable[Kept]) -> list[Kept]:
    return sorted(records, key=lambda each: (each.topic, each.partition, each.offset))


def on_topics(settings: KafkaSettings, stretch: Stretch = Stretch()) -> list[Kept]:  # noqa: B008 - it is frozen
    found = Topics(settings, AUDIT, stretch).records(silent)
    return ordered(each for batch in found for each in batch)


def in_file(path: Path) -> list[Kept]:
    return ordered(each for batch in sources.records(path) for _, each in batch if isinstance(each, Kept))


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def events_of(batches: Iterator[Batch]) -> list[tuple[object, ...]]:
    return sorted((row for batch in batches for row in batch.events.iter_rows()), key=repr)


@pytest.mark.parametrize("name", ["log.jsonl", "log.parquet"])
async def test_topics_go_to_a_file_and_come_back(topics: KafkaSettings, tmp_path: Path, name: str) -> None:
    await put(topics, odd_log())
    there = on_topics(topics)
    assert sorted(map(repr, ((each.topic, each.key, each.headers, each.value) for each in there))) == sorted(
        map(repr, ((each.topic, each.key, each.headers, each.value) for each in odd_log()))
    )
    path = tmp_path / name
    assert exporting.write(path, Topics(topics, AUDIT, Stretch()).records(silent)) == len(there)
    assert in_file(path) == there
    assert names_in(tmp_path) == [name]
    async with topics_of(fresh(topics.kafka_brokers)) as others:
        await put(others, in_file(path))
        assert [replace(each, appended_ms=0) for each in on_topics(others)] == [
            replace(each, appended_ms=0) for each in there
        ]


async def test_the_same_events_are_read_from_topics_lines_and_columns(topics: KafkaSettings, tmp_path: Path) -> None:
    await put(topics, odd_log())
    lines, columns = tmp_path / "log.jsonl", tmp_path / "log.parquet"
    exporting.write(lines, [on_topics(topics)])
    exporting.write(columns, [on_topics(topics)[:30], on_topics(topics)[30:]])
    from_topics = events_of(Topics(topics, AUDIT, Stretch()).batches(silent))
    assert len(from_topics) == len(odd_log())
    assert events_of(jsonl.batches(lines, Stretch(), silent)) == from_topics
    assert events_of(parquet.batches(columns, Stretch(), silent)) == from_topics
    older = tmp_path / "older.parquet"
    pl.read_parquet(columns).drop("event verdict").write_parquet(older)
    assert events_of(parquet.batches(older, Stretch(), silent)) == from_topics, "another version's columns are not used"


async def test_a_stretch_is_by_when_the_broker_appended(topics: KafkaSettings, tmp_path: Path) -> None:
    await put(topics, odd_log()[:10])
    await asyncio.sleep(0.05)
    await put(topics, odd_log()[10:20])
    every = on_topics(topics)
    middle = sorted(each.appended_ms for each in every)[10]
    path = tmp_path / "log.jsonl"
    exporting.write(path, [every])
    exporting.write(tmp_path / "log.parquet", [every])
    for stretch in (Stretch(since=_moment(middle)), Stretch(until=_moment(middle)), Stretch(_moment(0), _moment(1))):
        wanted = [each for each in every if stretch.holds(each.appended_ms)]
        assert on_topics(topics, stretch) == wanted
        ids = sorted(dict(each.headers)["ce_id"] or b"" for each in wanted)
        for file in (path, tmp_path / "log.parquet"):
            found = [batch.events["id"].to_list() for batch in sources.batches(file, stretch, silent)]
            assert sorted(name.encode() for names in found for name in names) == ids


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


async def test_records_that_were_deleted_are_not_waited_for(topics: KafkaSettings) -> None:
    await put(topics, odd_log())
    async with admin_client(topics) as client:
        name = f"{topics.topic_prefix}audit.runs"
        await client.delete_records({TopicPartition(name, 0): RecordsToDelete(before_offset=-1)})
    assert all(each.partition != 0 for each in on_topics(topics) if each.topic == "audit.runs")


async def test_a_topic_that_an_older_cluster_lacks_is_named_and_none_at_all_is_a_fault(topics: KafkaSettings) -> None:
    await put(topics, odd_log()[:3])
    source = Topics(topics, ["audit.runs", "audit.of.tomorrow"], Stretch())
    assert sum(len(batch) for batch in source.records(silent)) == 3
    assert source.absent == ["audit.of.tomorrow"]
    with pytest.raises(NoTopics, match=r"audit\.of\.tomorrow"):
        list(Topics(topics, ["audit.of.tomorrow"], Stretch()).records(silent))


def test_a_cluster_that_does_not_answer_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.report.adapters.topics.ANSWERS_WITHIN_S", 0.5)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9: *no|no Kafka cluster answers at 127\.0\.0\.1:9"):
        list(Topics(KafkaSettings(kafka_brokers="127.0.0.1:9"), AUDIT, Stretch()).records(silent))


def test_a_file_in_which_anything_stands_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    made = odd_log()[:3]
    exporting.write(path, [made])
    sound = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([sound[0], b"", b"   ", b'{"half', b"[]", b'{"other":1}', sound[1], sound[2][:80]]))
    found = [each for batch in jsonl.batches(path, Stretch(), silent) for each in batch.left_out()]
    assert found == [
        ("half_a_line", f"{path}:4"),
        ("half_a_line", f"{path}:5"),
        ("no_record", f"{path}:6"),
        ("half_a_line", f"{path}:8"),
    ]
    frames = [batch.events for batch in jsonl.batches(path, Stretch(), silent)]
    counted = pl.concat(frames).filter(pl.col("trouble").is_null())
    assert counted["id"].to_list() == ["id-0", "id-1"]


def test_chunks_of_a_file_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.jsonl"
    exporting.write(path, [odd_log()])
    path.write_bytes(path.read_bytes() + b"\n\n{")
    whole = [(batch.events.rows(), list(batch.left_out())) for batch in jsonl.batches(path, Stretch(), silent)]
    monkeypatch.setattr(jsonl, "CHUNK", 100)
    pieces = [(batch.events.rows(), list(batch.left_out())) for batch in jsonl.batches(path, Stretch(), silent)]
    assert len(pieces) > 10
    assert [row for rows, _ in pieces for row in rows] == [row for rows, _ in whole for row in rows]
    assert [each for _, out in pieces for each in out] == [each for _, out in whole for each in out]


def test_a_file_that_is_no_log_says_so(tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"no parquet")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "other.parquet")
    for name, said in (
        ("log.csv", "neither .jsonl nor .parquet"),
        ("none.jsonl", "there is no file"),
        ("broken.parquet", "cannot be read as Parquet"),
        ("other.parquet", "has no column topic"),
    ):
        with pytest.raises(Fault, match=said):
            list(sources.batches(tmp_path / name, Stretch(), silent))


def test_a_file_that_is_damaged_in_the_middle_says_so(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    exporting.write(path, [odd_log() * 50])
    content = bytearray(path.read_bytes())
    content[40 : len(content) // 2] = bytes(len(content) // 2 - 40)
    path.write_bytes(content)
    for read in (lambda: list(sources.batches(path, Stretch(), silent)), lambda: list(sources.records(path))):
        with pytest.raises(Fault, match="cannot be read as Parquet"):
            read()


def test_a_row_whose_headers_nobody_can_read_is_named_and_harms_no_other(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    exporting.write(path, [odd_log()])
    number = pl.int_range(pl.len())
    bad = pl.when(number == 1).then(pl.lit("no json")).when(number != 2).then("headers").alias("headers")
    pl.read_parquet(path).select(*parquet.RECORD).with_columns(bad).write_parquet(path)
    found = [each for batch in sources.records(path) for each in batch]
    assert [(where, str(each)[:30]) for where, each in found if isinstance(each, NoRecord)] == [
        (f"{path} row 2", "its headers cannot be read: Ex")
    ]
    events = [batch.events for batch in sources.batches(path, Stretch(), silent)]
    assert sum(each.height for each in events) == len(odd_log()), (
        "another version's columns are made anew of its records"
    )


def test_an_empty_log_is_a_log(tmp_path: Path) -> None:
    for name in ("log.jsonl", "log.parquet"):
        assert exporting.write(tmp_path / name, []) == 0
        assert sum(batch.events.height for batch in sources.batches(tmp_path / name, Stretch(), silent)) == 0
        assert in_file(tmp_path / name) == []


@pytest.mark.parametrize("name", ["log.jsonl", "log.parquet"])
def test_what_stood_there_stays_where_writing_fails(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"before")

    def batches() -> Iterator[list[Kept]]:
        yield odd_log()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exporting.write(path, batches())
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [(name, b"before")]


def test_a_disk_that_is_full_leaves_no_part_of_a_parquet_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.parquet"
    path.write_bytes(b"before")

    sound = pl.LazyFrame.sink_parquet

    def full(rows: pl.LazyFrame, where: Path | str, **given: Any) -> object:
        if not str(where).endswith(".whole"):
            return sound(rows, where, **given)
        Path(where).write_bytes(b"half of it")
        raise pl.exceptions.ComputeError("No space left on device")

    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", full)
    with pytest.raises(Fault, match="what stood there is as it was"):
        exporting.write(path, [odd_log()])
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("log.parquet", b"before")]


async def test_a_log_is_exported_and_imported_as_people_do_it(
    topics: KafkaSettings, command: Command, tmp_path: Path
) -> None:
    await put(topics, odd_log())
    count = len(odd_log())
    assert f"{count} records" in await command("export", "--to", "log.jsonl", given=topics)
    assert f"{count} records" in await command("export", "--to", "log.parquet", "--from", "1h", given=topics)
    assert "0 records" in await command("export", "--to", "old.jsonl", "--until", "2026-01-01", given=topics)
    assert in_file(tmp_path / "log.jsonl") == in_file(tmp_path / "log.parquet") == on_topics(topics)
    refused = await command("import", "log.jsonl", given=topics, code=1)
    assert "records already; nothing was put on any topic" in refused
    async with topics_of(fresh(topics.kafka_brokers)) as others:
        with (tmp_path / "log.jsonl").open("ab") as file:
            file.write(b'{"half\n{"topic":"no.topic","partition":0,"offset":0}')
        said = await command("import", "log.jsonl", given=others)
        assert f"{count} records" in said
        assert "log.jsonl:62 (it is no JSON)" in said
        assert "log.jsonl:63 (there is no topic no.topic)" in said
        assert f"{count} records" in await command("import", "log.parquet", "--onto-others", given=others)
        assert len(on_topics(others)) == 2 * count
    nowhere = topics.model_copy(update={"topic_prefix": "nobody."})
    assert "`threadline topics apply` makes" in await command("import", "log.jsonl", given=nowhere, code=1)
    assert "`threadline topics apply` makes" in await command("export", "--to", "x.jsonl", given=nowhere, code=1)


async def test_options_that_make_no_sense_are_refused_before_anything_is_read(command: Command) -> None:
    for arguments, said in (
        (("export", "--to", "log.csv"), "neither .jsonl nor .parquet"),
        (("export", "--to", "log.jsonl", "--topics", "audit.run"), "there is no topic audit.run"),
        (("export", "--to", "log.jsonl", "--topics", ","), "--topics"),
        (("export", "--to", "log.jsonl", "--from", "noon"), "nothing was read"),
        (("export", "--to", "log.jsonl", "--from", "1h", "--until", "2h"), "--from is not before --until"),
        (("import", "none.jsonl"), "there is no file none.jsonl"),
    ):
        assert said in await command(*arguments, code=1)


async def test_ctrl_c_ends_an_export_and_leaves_what_stood_there(topics: KafkaSettings, tmp_path: Path) -> None:
    """It stands still in the midst of writing, since what it writes into is a pipe that nobody empties."""
    await put(topics, odd_log() * 60)
    path, begun = tmp_path / "log.jsonl", tmp_path / ".log.jsonl.part"
    path.write_text("before")
    os.mkfifo(begun)
    pipe = os.open(begun, os.O_RDONLY | os.O_NONBLOCK)
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "threadline", "report", "export", "--to", str(path)),
        env=child_environment(as_environment(topics)),
        stderr=asyncio.subprocess.PIPE,
    )
    while not _from(pipe):  # noqa: ASYNC110 - another process fills it
        await asyncio.sleep(0.01)
    program.send_signal(signal.SIGINT)
    ended = asyncio.create_task(program.communicate())
    while not ended.done():
        _from(pipe)
        await asyncio.sleep(0.01)
    os.close(pipe)
    assert program.returncode == 1
    assert "interrupted" in ended.result()[1].decode()
    assert path.read_text() == "before"
    assert not begun.exists()


def _from(pipe: int) -> bytes:
    try:
        return os.read(pipe, 1 << 16)
    except BlockingIOError:
        return b""


def test_every_column_of_an_event_is_one_of_the_file(tmp_path: Path) -> None:
    exporting.write(tmp_path / "log.parquet", [odd_log()])
    assert set(pl.read_parquet_schema(tmp_path / "log.parquet")) == {
        *parquet.RECORD,
        *(f"{parquet.OPENED}{name}" for name in EVENT),
    }
