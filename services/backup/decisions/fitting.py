"""Whether a cluster can take a backup in, so that every record gets the offset that it had."""

from collections.abc import Mapping
from typing import TypeAlias

from schemas.topics import BY_NAME
from services.backup.decisions.manifest import KeptPartition, Manifest

Ends: TypeAlias = Mapping[tuple[str, int], range]
"""By topic and partition, the offsets of the records that stand there. Topics that are absent are not in it."""


def strange_topics(manifest: Manifest) -> list[str]:
    """Topics that this version does not know."""
    return sorted(set(manifest.topics) - set(BY_NAME))


def other_counts(manifest: Manifest, partitions: int) -> dict[str, int]:
    """Topics with another number of partitions than the cluster gives them."""
    return {topic: count for topic, count in manifest.topics.items() if count != partitions}


def standing_in_the_way(manifest: Manifest, there: Ends) -> list[str]:
    """What stands on the topics already, in words; also on those that the backup lacks, since all of them are made."""
    kept = _by_place(manifest)
    records: dict[str, int] = {}
    beyond: list[str] = []
    for (topic, partition), found in there.items():
        mine = kept.get((topic, partition))
        if len(found):
            records[topic] = records.get(topic, 0) + len(found)
        elif mine is not None and found.stop > mine.begins and is_exact(topic):
            beyond.append(f"{topic} {partition} is empty, but its next offset is {found.stop} already")
    return [f"{topic} holds {count} records" for topic, count in records.items()] + beyond


def is_whole(manifest: Manifest, there: Ends) -> bool:
    """Whether just the backup stands there: a restore that died so had come to its end, but for its marks.

    What retention deleted from a topic since its mark went is not missed.
    """
    kept = _by_place(manifest)
    return kept.keys() <= there.keys() and all(
        _is_whole(kept[place], found) if place in kept else not len(found) for place, found in there.items()
    )


def _is_whole(kept: KeptPartition, found: range) -> bool:
    if is_exact(kept.topic):
        return found.stop == kept.ends and found.start >= kept.begins
    return len(found) == kept.records


def _by_place(manifest: Manifest) -> dict[tuple[str, int], KeptPartition]:
    return {(each.topic, each.partition): each for each in manifest.partitions}


def is_exact(topic: str) -> bool:
    """Whether a topic's records get the offsets that they had.

    Those of a compacted topic keep only their order: nobody refers to a row by its offset, there are holes between
    rows, and what would fill them would have to be read at each start.
    """
    return BY_NAME[topic].cleanup == "delete"


def fillers(kept: KeptPartition, next_offset: int) -> int:
    """How many records must come first, and be deleted again, so that the partition begins where it began."""
    return kept.begins - next_offset if is_exact(kept.topic) else 0


def newest_of(manifest: Manifest, there: Ends) -> dict[tuple[str, int], int]:
    """Of each partition, the time after which a restore of this backup writes no record."""
    kept, made_ms = _by_place(manifest), int(manifest.made_at.timestamp() * 1000)
    newest = {place: mine.newest_ms for place, mine in kept.items() if mine.newest_ms is not None}
    return {place: newest.get(place, made_ms) for place in there}
