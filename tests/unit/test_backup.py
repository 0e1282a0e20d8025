"""What stands against a restore, how many records come first, and what a program's command line shows."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from schemas.topics import BY_NAME
from services.backup.adapters.folder import begun
from services.backup.adapters.programs import _without_password
from services.backup.adapters.writing import _told
from services.backup.decisions.causes import consequences_first
from services.backup.decisions.fitting import (
    fillers,
    is_whole,
    newest_of,
    other_counts,
    standing_in_the_way,
    strange_topics,
)
from services.backup.decisions.manifest import KeptPartition, Manifest
from services.kit.fault import Fault


def partition(topic: str, begins: int, ends: int, number: int = 0) -> KeptPartition:
    return KeptPartition(topic=topic, partition=number, begins=begins, ends=ends, records=ends - begins, file=None)


def backup(*partitions: KeptPartition) -> Manifest:
    return Manifest(threadline="0.1.0", made_at=datetime(2026, 3, 2, tzinfo=UTC), partitions=partitions)


def test_only_what_is_empty_and_not_beyond_the_beginning_can_be_filled() -> None:
    kept = backup(partition("slack.inbound", 40, 90), partition("slack.inbound", 0, 7, number=1))
    assert standing_in_the_way(kept, {}) == []
    assert standing_in_the_way(kept, {("slack.inbound", 0): range(40, 40), ("slack.inbound", 1): range(0)}) == []
    assert standing_in_the_way(kept, {("slack.inbound", 0): range(38, 40)}) == ["slack.inbound holds 2 records"]
    [beyond] = standing_in_the_way(kept, {("slack.inbound", 1): range(3, 3)})
    assert beyond == "slack.inbound 1 is empty, but its next offset is 3 already"


def test_a_topic_that_the_backup_lacks_has_to_be_empty_too() -> None:
    kept = backup(partition("slack.inbound", 40, 90))
    assert standing_in_the_way(kept, {("audit.runs", 3): range(5, 5)}) == []
    assert standing_in_the_way(kept, {("audit.runs", 3): range(5, 7)}) == ["audit.runs holds 2 records"]


def test_a_restore_that_lacks_only_the_end_of_its_marks_is_whole() -> None:
    kept = backup(partition("slack.inbound", 40, 90), partition("router.journal", 4, 9))
    whole = {("slack.inbound", 0): range(40, 90), ("router.journal", 0): range(3, 8), ("audit.runs", 0): range(0)}
    assert is_whole(kept, whole)
    assert is_whole(kept, whole | {("slack.inbound", 0): range(60, 90)}), "its retention goes on"
    for place, found in (
        (("slack.inbound", 0), range(40, 89)),
        (("slack.inbound", 0), range(40, 91)),
        (("slack.inbound", 0), range(90)),
        (("router.journal", 0), range(4)),
        (("audit.runs", 0), range(1)),
    ):
        assert not is_whole(kept, whole | {place: found})
    assert not is_whole(kept, {("slack.inbound", 0): range(40, 90)})


def test_a_restore_writes_no_record_newer_than_the_backups() -> None:
    kept = backup(partition("slack.inbound", 0, 9).model_copy(update={"newest_ms": 70}))
    made = int(kept.made_at.timestamp() * 1000)
    there = {("slack.inbound", 0): range(9), ("slack.inbound", 1): range(0), ("audit.runs", 0): range(2)}
    assert newest_of(kept, there) == {("slack.inbound", 0): 70, ("slack.inbound", 1): made, ("audit.runs", 0): made}


def test_a_compacted_topic_only_has_to_be_empty() -> None:
    kept = backup(partition("router.journal", 4, 9))
    assert standing_in_the_way(kept, {("router.journal", 0): range(70, 70)}) == []
    assert standing_in_the_way(kept, {("router.journal", 0): range(70, 71)}) == ["router.journal holds 1 records"]


def test_a_partition_is_filled_up_to_where_it_began() -> None:
    assert fillers(partition("slack.inbound", 40, 90), 0) == 40
    assert fillers(partition("slack.inbound", 40, 90), 30) == 10
    assert fillers(partition("router.journal", 40, 90), 0) == 0, "its rows only keep their order"


def test_topics_and_counts_that_do_not_fit_are_named() -> None:
    kept = backup(partition("slack.inbound", 0, 1), partition("slack.inbound", 0, 1, number=1), partition("odd", 0, 1))
    assert strange_topics(kept) == ["odd"]
    assert other_counts(kept, 2) == {"odd": 1}


def test_the_end_of_a_consequence_is_noted_before_that_of_its_cause() -> None:
    noted = list(consequences_first(dict.fromkeys(BY_NAME, 1)))
    assert sorted(noted) == sorted(BY_NAME)
    assert consequences_first({"slack.inbound": 4, "router.journal": 2}) == {"router.journal": 2, "slack.inbound": 4}
    for consequence, cause in (
        *(("audit.runs", "slack.effects"), ("slack.effects", "runs.commands"), ("runs.commands", "router.journal")),
        *((name, "slack.effects") for name in noted if name.startswith("audit.")),
        *((name, "router.journal") for name in ("audit.decisions", "dead.letters", "runs.stops", "agents.commands")),
        *(("dead.letters", "runs.commands"), ("router.journal", "slack.inbound")),
    ):
        assert noted.index(consequence) < noted.index(cause), f"{consequence} follows from {cause}"


def test_a_password_stands_on_no_command_line() -> None:
    plain = "postgresql://owner@host:5432/threadline?sslmode=require"
    assert _without_password("postgresql://owner:p%40ss@host:5432/threadline?sslmode=require") == (plain, "p@ss")
    assert _without_password("postgresql://owner@host:5432/threadline?sslmode=require&password=p") == (plain, "p")
    assert _without_password(plain) == (plain, None)


def test_an_answer_without_an_offset_accuses_nobody() -> None:
    here = TopicPartition("slack.inbound", 2)
    assert "somebody else writes there" in _told(here, 40, 41)
    unknown = _told(here, 40, -1)
    assert "does not tell" in unknown
    assert "somebody" not in unknown
    assert "-1" not in unknown


@pytest.mark.parametrize("folder", [".", "/", "/."])
def test_a_folder_that_has_no_name_is_there_already(folder: str) -> None:
    with pytest.raises(Fault, match="is there already"), begun(Path(folder)):
        pass
