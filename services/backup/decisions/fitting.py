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
    """What stands on the topics already, in words."""
    records: dict[str, int] = {}
    beyond: list[str] = []
    for kept in manifest.partitions:
        found = there.get((kept.topic, kept.partition), range(0))
        if len(found):
            records[kept.topic] = records.get(kept.topic, 0) + len(found)
        elif found.stop > kept.begins and is_exact(kept.topic):
            beyond.append(f"{kept.topic} {kept.partition} is empty, but its next offset is {found.stop} already")
    return [f"{topic} holds {count} records" for topic, count in records.items()] + beyond


def is_exact(topic: str) -> bool:
    """Whether a topic's records get the offsets that they had.

    Those of a compacted topic keep only their order: nobody refers to a row by its offset, there are holes between
    rows, and what would fill them would have to be read at each start.
    """
    return BY_NAME[topic].cleanup == "delete"


def fillers(kept: KeptPartition, next_offset: int) -> int:
    """How many records must come first, and be deleted again, so that the partition begins where it began."""
    return kept.begins - next_offset if is_exact(kept.topic) else 0
