"""Says what programs want said: a message in its turn, posted once, and changed where its name stands already."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Final

from schemas.command import OutboundMessage
from schemas.effect import EffectConfirmed, EffectFailed, EffectIntended
from schemas.record import CannotRead
from schemas.slack import is_channel_name
from schemas.topics import SLACK_EFFECTS
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import newest_of, record_of, to_end
from services.kit.kafka.durable import patiently
from services.responder.adapters.channels import Channels, NotThere
from services.responder.adapters.ledger import EffectRefused, Ledger
from services.responder.adapters.turns import Turns
from services.responder.decisions.effects import NOT_CHANGED, Call, Subject
from services.responder.decisions.outbound import ANEW, changing, effect_id_of, posting
from services.responder.decisions.pace import Urgency
from services.responder.decisions.posts import MOST, Posts, head_of, post_of
from services.responder.decisions.standing import Standing

log = logging.getLogger(__name__)

NAMED: Final = b'"post_id":"'
"""Stands in every entry of a message that its program named. Others need not be opened."""


class Saying:
    """Messages of programs. Those of one key of the topic wait for each other, and for nobody else."""

    def __init__(self, settings: KafkaSettings, ledger: Ledger, channels: Channels) -> None:
        self._settings, self._ledger, self._channels = settings, ledger, channels
        self._turns = Turns()
        self._posts: dict[int, asyncio.Task[Posts]] = {}
        """What stands, by partition: nobody else writes there while it is ours."""

    async def say(self, message: OutboundMessage, subject: Subject, standing: Standing) -> None:
        """One message, once. `EffectRefused` where Slack does not take it."""
        async with self._turns.turn(subject.key):
            is_posted = subject.post_id is not None or subject.thread_of is not None
            posts = await self._posts_of(subject.partition) if is_posted else Posts()
            meant = standing.meant.get(effect_id_of(subject.command_id))
            placed = await self._placed(subject, message, posts, meant)
            try:
                await self._say(message, placed, standing, posts)
            except EffectRefused as refused:
                self._channels.refused(subject.connection, subject.channel_id, refused.code)
                raise

    async def _placed(self, subject: Subject, message: OutboundMessage, posts: Posts, meant: Call | None) -> Subject:
        """The same, where the channel has its id; it keeps its name where only a post can tell."""
        if not is_channel_name(subject.channel_id):
            return subject
        if meant is not None:
            return replace(subject, channel_id=str(meant.arguments["channel"]))
        try:
            found = await self._channels.id_of(subject)
        except NotThere as fault:
            await self._ledger.leave(subject, posting(subject, message), fault.code)
        found = found or posts.channel(subject.connection, subject.channel_id)
        return replace(subject, channel_id=found) if found else subject

    async def _say(self, message: OutboundMessage, subject: Subject, standing: Standing, posts: Posts) -> None:
        post = post_of(subject)
        meant = standing.meant.get(effect_id_of(subject.command_id))
        stands = posts.ts(post)
        head = self._head(subject, posts) if meant is None and not stands else None
        made = meant or (changing(subject, message, stands) if stands else posting(subject, message, head=head))
        try:
            self._stands(subject, posts, await self._once(subject, standing, made))
        except EffectRefused as refused:
            if made.method != "chat.update" or refused.code not in NOT_CHANGED:
                raise
            log.warning("Slack does not change a program's message (%s); it is posted anew", refused.code)
            posts.gone(post)
            anew = posting(subject, message, ANEW, self._head(subject, posts))
            self._stands(subject, posts, await self._once(subject, standing, anew))

    def _head(self, subject: Subject, posts: Posts) -> str | None:
        found = posts.ts(head_of(subject))
        if found is None and subject.thread_of is not None:
            log.warning(
                "a program's message whose thread does not stand is said in the channel (%s)", subject.command_id
            )
        return found

    def _stands(self, subject: Subject, posts: Posts, ts: str | None) -> None:
        """From now on it does; a channel that was only named has its id since then."""
        known = self._channels.known(subject.connection, subject.channel_id)
        posts.stands(post_of(replace(subject, channel_id=known) if known else subject), ts)

    def forget(self, partitions: Iterable[int]) -> None:
        """Others have them now, and write there."""
        for each in partitions:
            if (loading := self._posts.pop(each, None)) is not None:
                loading.cancel()

    async def _once(self, subject: Subject, standing: Standing, made: Call) -> str | None:
        if made.effect_id in standing.meant:
            return await self._ledger.settle(subject, standing, standing.meant[made.effect_id])
        return await self._ledger.do(subject, made, Urgency.FIRST)

    async def _posts_of(self, partition: int) -> Posts:
        loading = self._posts.get(partition)
        if loading is None:
            loading = self._posts[partition] = asyncio.create_task(patiently(partial(self._read, partition)))
        return await asyncio.shield(loading)

    async def _read(self, partition: int) -> Posts:
        """Without it nobody knows whether a message is the first of its name."""
        posts = Posts()
        async with newest_of(self._settings, SLACK_EFFECTS, partition, MOST) as consumer:
            async for raw in to_end(consumer):
                if NAMED not in (raw.value or b""):
                    continue
                try:
                    _, event = record_of(raw, self._settings.topic_prefix).decode()
                except CannotRead:
                    continue  # nobody but a responder writes there; what is damaged names no message
                if isinstance(event, EffectIntended | EffectConfirmed | EffectFailed):
                    posts.take(event)
        return posts
