"""Time and names in the simulated Slack: the same under a seed, ahead where it is told so."""

import asyncio
from typing import Any

import pytest

from services.slack_sim.app import slack_sim
from services.slack_sim.client import slack_sim_at
from services.slack_sim.control.answers import Transcript, WorldShown
from services.slack_sim.control.asks import Reset
from services.slack_sim.settings import SlackSimSettings
from services.slack_sim.web_api.limits import Limits, RateLimits
from services.slack_sim.world.entities import Counters
from services.slack_sim.world.moments import Moments
from tests.hands import Hands
from tests.slack_sim.first import First


async def a_short_history(
    seed: str | None, *, reset: bool = False
) -> tuple[WorldShown, Transcript, list[dict[str, Any]]]:
    settings = SlackSimSettings(slack_sim_port=0, slack_sim_seed=seed)
    async with slack_sim(settings) as slack, slack_sim_at(slack.address) as sim:
        first = First.of(await sim.world())
        if reset:
            await sim.say(first.you, first.general, "forgotten")
            await sim.ask(Reset())
            first = First.of(await sim.world())
        await sim.say(first.you, first.general, f"<@{first.bot_user}> hi")
        envelopes = [each.payload for each in await sim.envelopes()]
        return await sim.world(), await sim.transcript(first.general), envelopes


async def test_a_seed_repeats_every_name_and_time() -> None:
    once, again = await a_short_history("7"), await a_short_history("7")
    assert once == again
    assert await a_short_history("8") != once


async def test_after_a_reset_all_is_as_at_first_and_nothing_that_apps_remember_comes_again() -> None:
    world, _, before = await a_short_history("7")
    anew, _, after = await a_short_history("7", reset=True)
    assert anew == world
    forgotten = {each["event_id"] for each in before}
    assert len(forgotten) == 2
    assert not forgotten & {each["event_id"] for each in after}
    assert not {each["event"]["ts"] for each in before} & {each["event"]["ts"] for each in after}


async def test_without_a_seed_nothing_repeats() -> None:
    assert await a_short_history(None) != await a_short_history(None)


async def at_once() -> None:
    """Nobody has to be waited for."""


def moments() -> tuple[Moments, Hands]:
    hands = Hands()
    return Moments(hands, Counters("seed")), hands


async def test_what_is_due_happens_in_its_order_and_at_its_time() -> None:
    there, _ = moments()
    began, happened = there.now(), list[tuple[str, float]]()

    def note(name: str) -> None:
        happened.append((name, round(there.now() - began, 6)))

    def first() -> None:
        note("first")
        there.after(5, lambda: note("between"))

    there.after(20, lambda: note("last"))
    there.after(10, first)
    off = there.after(12, lambda: note("never"))
    off.then = None
    await there.advance(30, at_once)
    assert happened == [("first", 10), ("between", 15), ("last", 20)]
    assert there.now() - began == pytest.approx(30)


async def test_what_is_due_happens_by_itself() -> None:
    there, hands = moments()
    happened = asyncio.Event()
    there.after(0.01, happened.set)
    hands.monotonic_s += 1
    async with asyncio.timeout(10):
        await happened.wait()


def test_no_two_messages_have_the_same_time() -> None:
    there, _ = moments()
    stamps = [there.stamp() for _ in range(1000)]
    assert len(set(stamps)) == 1000
    assert stamps == sorted(stamps)


def test_a_limit_never_grants_more_than_it_says() -> None:
    there, hands = moments()
    limits = Limits(there)
    granted = sum(limits.take("chat.update", 3, ("A", "T")) is None for _ in range(200))
    assert granted == 50
    wait = limits.take("chat.update", 3, ("A", "T"))
    assert wait == 2
    assert limits.take("chat.update", 3, ("A", "T2")) is None, "workspaces do not share it"
    hands.monotonic_s += wait
    assert limits.take("chat.update", 3, ("A", "T")) is None


def test_about_one_message_a_second_goes_to_a_channel_with_short_bursts() -> None:
    there, hands = moments()
    limits = Limits(there)
    who = ("A", "T")
    assert [limits.take_post("C1", who) for _ in range(6)] == [None] * 5 + [1]
    assert limits.take_post("C2", who) is None, "channels do not share it"
    hands.monotonic_s += 1
    assert [limits.take_post("C1", who) for _ in range(2)] == [None, 1]
    limits.rules = RateLimits(on=False)
    assert limits.take_post("C1", who) is None
    limits.rules = RateLimits(per_minute={"auth.test": 1})
    assert [limits.take("auth.test", None, who) for _ in range(2)] == [None, 60]
