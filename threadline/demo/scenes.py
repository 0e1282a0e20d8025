"""The scenes: what is said and done, and what is claimed of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from schemas.buttons import STOP
from schemas.decision import Duplicate, Throttled
from services.slack_sim.control import asks
from threadline.demo.stage import Claim, Stage, words_of
from threadline.demo.trail import Trail

BURST: Final = 36
PER_MINUTE: Final = 30
"""Of the sample tenant, as of any that says nothing else."""

QUESTIONS: Final = ("what was asked most?", "what was stopped?", "what is still open?")

REFUSAL: Final = "oo many requests"

Scene = Callable[[Stage], Awaitable[list[Claim]]]


async def _told(stage: Stage, ts: str) -> tuple[Trail, list[Claim]]:
    """The trail of the run that a message led to, and that it is whole."""
    trail = await stage.trail(lambda found: found.ended(found.run_of(ts)) is not None)
    run_id = trail.run_of(ts)
    stage.tell(trail, run_id)
    ended = trail.ended(run_id)
    return trail, [Claim("the audit says that it was answered", ended is not None and ended.state == "complete")]


async def a_mention(stage: Stage) -> list[Claim]:
    """A mention is answered in its thread."""
    channel = stage.channel("support")
    ts = await stage.mention(channel, "what can you do?")
    first = await stage.seen(channel, ts, "Thinking")
    answer = await stage.answer(channel, ts, "what can you do?")
    _, claims = await _told(stage, ts)
    replies = await stage.replies(channel, ts)
    return [
        Claim("“Thinking…” stood there first", not words_of(first) and first["ts"] <= answer["ts"]),
        Claim("one reply stands in the thread", [each["ts"] for each in replies] == [answer["ts"]]),
        Claim("it is said by Mara, in her role", "Mara, Customer Support" in words_of(answer)),
        *claims,
    ]


async def what_follows(stage: Stage) -> list[Claim]:
    """In a thread that she follows nobody needs to mention her."""
    channel = stage.channel("support")
    ts = await stage.mention(channel, "may I ask you something?")
    first = await stage.answer(channel, ts, "may I ask you something?")
    later = await stage.say(channel, "and what is a baseline?", ts)
    await stage.answer(channel, ts, "what is a baseline?", after=first["ts"])
    _, claims = await _told(stage, later)
    return [Claim("two replies stand in the thread", len(await stage.replies(channel, ts)) == 2), *claims]  # noqa: PLR2004 - as it says


async def a_direct_message(stage: Stage) -> list[Claim]:
    """Whoever writes to her directly is answered there."""
    opened = await stage.sim.ask(asks.OpenApp(user_id=stage.person("you"), app_id=stage.world.apps[0].id))
    ts = await stage.say(opened.id, "hello, just between us")
    await stage.answer(opened.id, ts, "hello, just between us")
    _, claims = await _told(stage, ts)
    return claims


async def a_program(stage: Stage) -> list[Claim]:
    """A program asks over HTTP, three times in a thread; once it does not hear that it was heard, and asks again."""
    channel = stage.channel("general")
    ts = await stage.say(channel, "the week in questions:")
    runs, answered = [], []
    for number, asked in enumerate(QUESTIONS):
        request = {"text": asked, "key": f"week-{number}", "channel": channel, "thread_ts": ts}
        stage.line("program", f"POST /v1/runs {asked}")
        runs += [await stage.caller.ask(request)]
        answered += [await stage.answer(channel, ts, asked)]
    stage.line("program", f"POST /v1/runs {QUESTIONS[-1]} (again, by the same key)")
    again = await stage.caller.ask(request)
    trail = await stage.trail(lambda found: all(found.ended(run) is not None for run in runs))
    stage.tell(trail, runs[-1])
    told = [await stage.caller.look(run) for run in runs]
    return [
        Claim(
            "the program is told that each is complete", [each["state"] for each in told] == ["complete"] * len(runs)
        ),
        Claim("the same key is the same run", again == runs[-1]),
        Claim("each answer stands in the thread once", len(await stage.replies(channel, ts)) == len(runs)),
    ]


async def a_duplicate(stage: Stage) -> list[Claim]:
    """Slack hears no acknowledgement, and sends the same again."""
    channel = stage.channel("general")
    await stage.sim.ask(asks.SetPolicy(deadline_s=1.0))
    await stage.sim.ask(asks.TroubleLinks(ack_loss=1.0))
    ts = await stage.mention(channel, "do you hear me twice?")
    await stage.answer(channel, ts, "do you hear me twice?")
    await asyncio.sleep(1.5)
    await stage.sim.ask(asks.TroubleLinks())
    await stage.sim.ask(asks.SetPolicy())

    def is_seen(trail: Trail) -> bool:
        return any(isinstance(each.decision, Duplicate) and each.decision.of == "event" for each in trail.decisions)

    trail = await stage.trail(is_seen)
    await _told(stage, ts)
    return [
        Claim("the second delivery was recognised as a duplicate", is_seen(trail)),
        Claim("one reply stands in the thread", len(await stage.replies(channel, ts)) == 1),
    ]


async def a_stop(stage: Stage) -> list[Claim]:
    """Somebody changes their mind."""
    channel = stage.channel("support")
    ts = await stage.mention(channel, "count to 900")
    shown = await stage.seen(channel, ts, "3.")
    await stage.press(channel, shown["ts"], STOP)
    stage.line("you", "[Stop]")
    answer = await stage.answer(channel, ts, "Stopped by")
    trail = await stage.trail(lambda found: found.ended(found.run_of(ts)) is not None)
    run_id, ended = trail.run_of(ts), trail.ended(trail.run_of(ts))
    stage.tell(trail, run_id)
    cancels = [each for each in trail.cancels if each.run_id == run_id]
    for each in cancels:
        stage.show(f"            stopped by the {each.source}, acknowledged after {each.latency_ms or 0:.0f} ms")
    return [
        Claim("what was written stays, with who stopped it", words_of(answer).startswith("1.\n2.\n3.")),
        Claim("the audit says that it was cancelled", ended is not None and ended.state == "cancelled"),
        Claim("the stop was acknowledged", [each.acknowledged for each in cancels] == [True]),
        Claim("nothing followed it", len(await stage.replies(channel, ts)) == 1),
    ]


async def a_kill(stage: Stage) -> list[Claim]:
    """The responder is killed in mid-answer, and the next one goes on in the same message."""
    channel = stage.channel("general")
    ts = await stage.mention(channel, "count to 150")
    shown = await stage.seen(channel, ts, "3.")
    before = stage.program("responder")
    process = before.process.process() if before.process is not None else None
    if process is not None:
        process.kill()
    stage.line("demo", f"kill -9 {before.process.pid if before.process else '?'} (the responder)")
    answer = await stage.answer(channel, ts, "150.")
    _, claims = await _told(stage, ts)
    return [
        Claim(
            "it was there to be killed, and was started again", stage.program("responder").restarts > before.restarts
        ),
        Claim("the answer stands in the message that was begun", answer["ts"] == shown["ts"]),
        Claim("it stands once", len(await stage.replies(channel, ts)) == 1),
        *claims,
    ]


async def a_burst(stage: Stage) -> list[Claim]:
    """More than the tenant's limit at once: some are answered, and whoever is not is told when to come back."""
    channels = [stage.channel("support"), stage.channel("general")]
    begun = stage.begun = stage.clock.monotonic()
    stage.line("you", f"@Mara count to 1 ({BURST} times, in two channels)")
    said = [f"<@{stage.bot}> count to {number % 3 + 1}" for number in range(BURST)]
    you = stage.person("you")
    stamps = [await stage.sim.say(you, channels[number % 2], text) for number, text in enumerate(said)]
    took_s = stage.clock.monotonic() - begun

    def all_ended(trail: Trail) -> bool:
        runs = [trail.run_of(ts) for ts in stamps]
        waiting = [run for run in runs if run is not None and trail.ended(run) is None]
        return not waiting and sum(run is not None for run in runs) + _refused(trail) >= BURST

    trail = await stage.trail(all_ended)
    granted = sum(trail.run_of(ts) is not None for ts in stamps)
    told = [each for channel in channels for each in await stage.whispers(channel)]
    for each in told[:1]:
        stage.line("Mara", f"(only to you) {each}")
    stage.show(f"            {granted} answered, {_refused(trail)} refused, within {took_s:.1f} s")
    return [
        Claim("each was answered or refused, none was lost", all_ended(trail)),
        Claim(
            "some were refused, and told for how long", _refused(trail) > 0 and any(REFUSAL in each for each in told)
        ),
        Claim("no more were granted than the limit allows", granted <= PER_MINUTE + PER_MINUTE * took_s / 60 + 1),
    ]


def _refused(trail: Trail) -> int:
    """How many mentions: each comes as itself and as a message, and is refused as both."""
    halves = sum(isinstance(each.decision, Throttled) for each in trail.decisions)
    return (halves + 1) // 2


SCENES: Final[tuple[tuple[str, Scene], ...]] = (
    ("A mention", a_mention),
    ("What follows in its thread", what_follows),
    ("A direct message", a_direct_message),
    ("A program asks over HTTP", a_program),
    ("The same delivery twice", a_duplicate),
    ("A stop", a_stop),
    ("A kill -9 of the responder in mid-answer", a_kill),
    ("A burst into the rate limit", a_burst),
)
