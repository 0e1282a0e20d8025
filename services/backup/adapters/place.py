"""The topics that a backup is put on: empty, marked while they are filled, and as declared afterwards."""

import asyncio
from dataclasses import replace
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient

from schemas.topics import ROUTER_JOURNAL, TOPICS, TopicSettings
from services.backup.adapters.cutting import bounds_of, newer_than
from services.backup.decisions.fitting import (
    Ends,
    is_whole,
    newest_of,
    other_counts,
    standing_in_the_way,
    strange_topics,
)
from services.backup.decisions.manifest import Manifest
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.admin import (
    KNOWN_WITHIN_S,
    LiveTopic,
    alter,
    cluster_of,
    create,
    declared_on,
    live_topics,
)

MARK: Final = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "message.timestamp.type": "CreateTime",
    "max.message.bytes": str((8 << 20) - 1),
}
"""While a topic is filled: records keep their time, none is deleted, and nobody else sets just this."""

LAST: Final = ROUTER_JOURNAL
"""It keeps its mark the longest: rows are counted in it, and without the mark it is compacted."""

NAMED: Final = 3
"""So many of what stands in the way are named."""


class DoesNotFit(Fault):
    """The backup cannot be restored here. Nothing was changed."""


class Place:
    """The declared topics on one cluster."""

    def __init__(self, client: AIOKafkaAdminClient, settings: KafkaSettings, manifest: Manifest) -> None:
        self._client, self._settings, self._manifest = client, settings, manifest

    async def look(self, *, anew: bool) -> Ends | None:
        """What stands there, where the backup can be put. None where all of it stands there, and only marks must go.

        `anew` deletes what a restore left unfinished, when nothing else stands against restoring.
        """
        if strange := strange_topics(self._manifest):
            raise DoesNotFit(
                f"this version of Threadline has no topic {', '.join(strange)}: the backup is of "
                f"{self._manifest.threadline}. Install that, or a newer one; nothing was changed"
            )
        counted = (await cluster_of(self._client, self._settings)).partitions
        if other := other_counts(self._manifest, counted):
            topic, count = next(iter(other.items()))
            raise DoesNotFit(
                f"{topic} has {count} partitions in the backup, and {counted} here. Set THREADLINE_TOPIC_PARTITIONS to "
                f"{count}, and delete topics that were made with {counted}; nothing was changed"
            )
        live = await self._live()
        marked = sorted(name for name, topic in live.items() if _is_marked(topic))
        if marked and not anew:
            raise DoesNotFit(
                f"a restore was begun on {self._settings.kafka_brokers} and did not end: {len(marked)} topics, "
                f"such as {marked[0]}, are marked as unfinished. --anew finishes it, or deletes these and begins anew; "
                "nothing was changed"
            )
        unfinished = {name.removeprefix(self._settings.topic_prefix) for name in marked}
        self._must_fit({name: topic.partitions for name, topic in live.items() if name not in marked})
        there = await self._bounds(live)
        rest = {place: offsets for place, offsets in there.items() if place[0] not in unfinished}
        found = standing_in_the_way(self._manifest, rest)
        if found and marked and is_whole(self._manifest, there):
            return None
        if marked:
            await self._must_be_ours(there)
        if found:
            raise DoesNotFit(
                f"{'; '.join(found[:NAMED])}{'; …' if found[NAMED:] else ''}: records get the offsets that they had "
                "only on topics that are empty and new. Name another cluster or THREADLINE_TOPIC_PREFIX, or delete "
                "these topics; nothing was changed"
            )
        if marked:
            await self._delete(marked)
        return rest

    async def make(self) -> None:
        """Makes what is missing, and marks all of it."""
        live = await self._live()
        marked = [_marked(each) for each in await self._declared()]
        await create(self._client, [each for each in marked if each.name not in live])
        await asyncio.gather(*(alter(self._client, each, live[each.name]) for each in marked if each.name in live))

    async def finish(self) -> None:
        """They are as declared: the last thing that a restore does. While one is not, another run can finish it."""
        live, declared = await self._live(), await self._declared()
        last = f"{self._settings.topic_prefix}{LAST.name}"
        for now in (
            [each for each in declared if each.name != last],
            [each for each in declared if each.name == last],
        ):
            await asyncio.gather(*(alter(self._client, each, _without_mark(live[each.name])) for each in now))

    async def _live(self) -> dict[str, LiveTopic]:
        return await live_topics(self._client, [f"{self._settings.topic_prefix}{topic.name}" for topic in TOPICS])

    async def _declared(self) -> list[TopicSettings]:
        return declared_on(await cluster_of(self._client, self._settings))

    async def _bounds(self, live: dict[str, LiveTopic]) -> Ends:
        prefix = self._settings.topic_prefix
        return await bounds_of(
            self._settings, {name.removeprefix(prefix): topic.partitions for name, topic in live.items()}
        )

    def _must_fit(self, counts: dict[str, int]) -> None:
        kept = {f"{self._settings.topic_prefix}{name}": count for name, count in self._manifest.topics.items()}
        if wrong := [name for name, count in counts.items() if kept.get(name, count) != count]:
            raise DoesNotFit(
                f"{wrong[0]} has {counts[wrong[0]]} partitions, and {kept[wrong[0]]} in the backup. Delete it, or name "
                "another THREADLINE_TOPIC_PREFIX; nothing was changed"
            )

    async def _must_be_ours(self, there: Ends) -> None:
        """What a service wrote while a restore ran stands nowhere else, and Slack was told that it is kept."""
        found = await newer_than(self._settings, newest_of(self._manifest, there))
        if found:
            topics = sorted({topic for topic, _ in found})
            (topic, partition), offset = min(found.items())
            raise DoesNotFit(
                f"{', '.join(topics)} hold records newer than the backup's, such as offset {offset} of {topic} "
                f"{partition}: either the restore that did not end was of a newer backup, which --anew takes, or a "
                "service wrote there, as an ingress that runs does, and they stand nowhere else. Then stop it, keep "
                f"them with `threadline report export --topics {','.join(topics)} --from …`, and delete these topics "
                "yourself; nothing was changed"
            )

    async def _delete(self, names: list[str]) -> None:
        await self._client.delete_topics(names)
        async with asyncio.timeout(KNOWN_WITHIN_S):
            while set(names) & set(await self._client.list_topics()):  # noqa: ASYNC110 - the broker has no event to wait for
                await asyncio.sleep(0.05)


def _is_marked(topic: LiveTopic) -> bool:
    return all(topic.config.get(name) == value for name, value in MARK.items())


def _without_mark(found: LiveTopic) -> LiveTopic:
    return replace(found, overrides={name: value for name, value in found.overrides.items() if name not in MARK})


def _marked(declared: TopicSettings) -> TopicSettings:
    return replace(declared, config=tuple(sorted({**dict(declared.config), **MARK}.items())))
