"""Waits until something is the case, and says what was found."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, assert_never

from services.slack_sim.control import answers, asks, conditions, shown
from services.slack_sim.simulation import Simulation
from services.slack_sim.telling.shapes import ephemeral_shape, message_shape
from services.slack_sim.world.entities import Entity, Message

LOOKS_EVERY_S = 0.002
"""At most that often, however much happens."""


async def wait(slack: Simulation, asked: asks.Wait) -> answers.Waited:
    """Looks again whenever something changed."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    with _bell(slack) as (bell, said):
        try:
            async with asyncio.timeout(asked.timeout_s):
                found = look(slack, asked.until, None)
                while found is None:
                    await bell.wait()
                    bell.clear()
                    await asyncio.sleep(LOOKS_EVERY_S)
                    lately, said[:] = said[:], []
                    found = look(slack, asked.until, lately)
        except TimeoutError:
            found = None
    return answers.Waited(met=found is not None, found=found, after_ms=(loop.time() - started) * 1000)


@contextmanager
def _bell(slack: Simulation) -> Iterator[tuple[asyncio.Event, list[Message]]]:
    """Rings at every change, and collects the messages that changed."""
    bell = asyncio.Event()
    said: list[Message] = []

    def ring(*_: object) -> None:
        bell.set()

    def take(entity: Entity, *, there: bool) -> None:
        bell.set()
        if there and isinstance(entity, Message):
            said.append(entity)

    watched: list[list[Any]] = [slack.dispatcher.watchers, slack.calls.watchers, slack.sockets.watchers]
    slack.world.watchers.append(take)
    for watchers in watched:
        watchers.append(ring)
    try:
        yield bell, said
    finally:
        slack.world.watchers.remove(take)
        for watchers in watched:
            watchers.remove(ring)


def look(slack: Simulation, until: conditions.Condition, lately: list[Message] | None) -> dict[str, Any] | None:  # noqa: C901, PLR0911 - one for each condition
    """What is found of a condition now; none where it is not met. `lately` is what was said since the last look."""
    match until:
        case conditions.AMessage():
            return _message(slack, until, lately)
        case conditions.AnEphemeral():
            for ephemeral in slack.world.ephemerals.values():
                fits = (ephemeral.channel, ephemeral.to) == (until.channel_id, until.user_id)
                if fits and until.contains in ephemeral.text:
                    return ephemeral_shape(ephemeral)
            return None
        case conditions.AReaction():
            conversation = slack.world.conversations.get(until.channel_id)
            message = conversation.messages.get(until.ts) if conversation else None
            users = ((message.reactions or {}) if message else {}).get(until.name)
            return {"users": users} if users else None
        case conditions.SomeCalls():
            count = slack.calls.counts[until.method]
            return {"count": count} if count >= until.count else None
        case conditions.SomeSockets():
            count = len(slack.sockets.links(until.app_id))
            met = count >= until.count and slack.sockets.opened >= until.opened
            return {"count": count} if met else None
        case conditions.SomeDeliveries():
            count = slack.dispatcher.counts.get(until.state, 0)
            return {"count": count} if count >= until.count else None
        case conditions.Settled():
            return {} if slack.dispatcher.open == 0 else None
        case conditions.AView():
            return _view(slack, until)
        case conditions.ASession():
            return _session(slack, until)
        case _:
            assert_never(until)


def _message(slack: Simulation, until: conditions.AMessage, lately: list[Message] | None) -> dict[str, Any] | None:
    conversation = slack.world.conversations.get(until.channel_id)
    if conversation is None:
        return None
    said = conversation.after(until.after_ts) if lately is None else lately
    for message in said:
        here = message.channel == until.channel_id and message.ts > until.after_ts
        in_thread = until.thread_ts is None or message.root_ts == until.thread_ts
        finished = until.streaming or message.stream is None or message.stream.state != "streaming"
        by = until.user_id in {None, message.user}
        if here and in_thread and finished and by and until.contains in message.text:
            return message_shape(slack.world, message, with_metadata=True)
    return None


def _view(slack: Simulation, until: conditions.AView) -> dict[str, Any] | None:
    for view in reversed(slack.world.views.values()):
        named = until.callback_id in {None, view.body.get("callback_id")}
        if view.open and view.user == until.user_id and named and bool(view.errors) >= until.errors:
            return shown.view(slack, view)
    return None


def _session(slack: Simulation, until: conditions.ASession) -> dict[str, Any] | None:
    for session in slack.world.sessions.values():
        if (session.channel, session.thread_ts) != (until.channel_id, until.thread_ts):
            continue
        if until.status in {None, session.status} and until.line in {None, session.line}:
            return shown.session(session).model_dump()
    return None
