"""Holds what stands against what was asked for: each check names what is not as it must be."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Final

from bench.beds.answered import Entry, Shown, Stands
from bench.beds.speaking import answer_to, is_refused, lines_in
from bench.story import FINAL, Asked, Story, place_of
from schemas.command import EmojiRequested, OutboundMessage, Place
from schemas.effect import EffectConfirmed, EffectFailed, EffectIntended, EffectOf, EffectUnknown
from schemas.run import RunState
from schemas.stop import StopRequested
from schemas.stopping import is_about, may_end, of_request

NOTICES: Final = {"cancelled": re.compile("⏹️ Stopped by "), "error": re.compile("⚠️ ")}
HEARD_WITHIN_S: Final = 3.0
"""A stop is heard in milliseconds; so long nothing but an absent broker may take, on any machine."""


def unanswered(story: Story) -> Iterable[str]:
    """Runs without any visible reply."""
    return (run_id for run_id in story.runs if not story.messages.get(run_id))


def answered_twice(story: Story) -> Iterable[str]:
    """Runs with more to be seen than the parts of one answer: a message that says nothing, or what another says."""
    for run_id in story.runs:
        messages = story.messages.get(run_id, [])
        said = [line for each in messages for line in {*lines_in(each.text), *_notices(each.text)}]
        if len(messages) > 1 and (len(said) > len(set(said)) or not all(map(_says_something, messages))):
            yield run_id


def _notices(text: str) -> list[tuple[str, str]]:
    return [("notice", state) for state, notice in NOTICES.items() if notice.search(text)]


def _says_something(shown: Shown) -> bool:
    return bool(lines_in(shown.text) or _notices(shown.text))


def garbled(story: Story) -> Iterable[str]:
    """Answers that lost a line, have one twice, out of its order, or of another answer; a stopped one may end early."""
    for run_id, states in story.states.items():
        question = story.question(run_id)
        said = [line for each in story.messages.get(run_id, ()) for line in lines_in(each.text)]
        wanted = [(question, line) for line in range(answer_to(question).lines)]
        if said != wanted[: len(said)] or (states == {"complete"} and said != wanted):
            yield run_id


def otherwise_than_shown(story: Story) -> Iterable[str]:
    """Runs of which the audit says something else than the last words in Slack."""
    for run_id, states in story.states.items():
        text = "\n".join(each.text for each in story.messages.get(run_id, ()))
        shown = {state for state, notice in NOTICES.items() if notice.search(text)} or {"complete"}
        if states and shown != states:
            yield run_id


def of_nobody(story: Story) -> Iterable[str]:
    """Messages of ours that neither say what they are of nor stand in the ledger, and those of unknown commands."""
    wanted = story.runs.keys() | {each.id for each in story.commands}
    return (f"{each.channel}/{each.ts}" for each in story.stands.shown if story.owner(each) not in wanted)


def under_way(story: Story) -> Iterable[str]:
    """Messages that say that more is to come, when all is over."""
    return (f"{each.channel}/{each.ts}" for each in story.stands.shown if each.is_under_way)


def out_of_order(story: Story) -> Iterable[str]:
    """Replies that stand in their thread before what was asked for earlier."""
    order = {run_id: (entry.partition, entry.offset) for run_id, entry in story.runs.items()}
    threads: dict[tuple[str, str | None], list[Shown]] = defaultdict(list)
    for shown in sorted(story.stands.shown, key=lambda each: each.ts):
        if story.owner(shown) in order:
            threads[shown.channel, shown.thread].append(shown)
    for messages in threads.values():
        for sooner, later in pairwise(messages):
            if order[story.owner(sooner) or ""] > order[story.owner(later) or ""]:
                yield story.owner(later) or ""


def without_end(story: Story) -> Iterable[str]:
    """Runs without a final state."""
    return (run_id for run_id, states in story.states.items() if not states)


def with_two_ends(story: Story) -> Iterable[str]:
    """Runs with two that differ."""
    return (run_id for run_id, states in story.states.items() if len(states) > 1)


def meant_after_a_stop(story: Story) -> Iterable[str]:
    """Calls that were meant for a run when its stop stood in the ledger already, but the stop's own."""
    acknowledged: set[str] = set()
    for each in story.stands.ledger:
        effect = getattr(each.event, "effect", None)
        if effect is None or effect.run_id is None:
            continue
        if isinstance(each.event, EffectIntended) and effect.run_id in acknowledged and effect.purpose != "stopped":
            yield effect.effect_id
        if isinstance(each.event, EffectConfirmed) and effect.purpose == "stopped":
            acknowledged.add(effect.run_id)


def not_stopped(story: Story) -> Iterable[str]:
    """Answers that went on after a stop, to their end; but for questions that were asked again by a click."""
    spoke: dict[int, float] = defaultdict(float)
    for asked in story.stands.asked:
        spoke[asked.question] = max(spoke[asked.question], asked.spoke_at or 0.0)
    questions = Counter(map(story.question, story.runs))
    for run_id in story.ended("complete"):
        event, question = story.runs[run_id].event, story.question(run_id)
        stops = [each for each in story.stands.stops if isinstance(event, Asked) and _ends(each, event)]
        heard = [stop.appended_ms / 1000 + HEARD_WITHIN_S for stop in stops if not _was_away(story, stop)]
        if questions[question] == 1 and heard and spoke[question] > min(heard):
            yield run_id


def _ends(stop: Entry, asked: Asked) -> bool:
    event, run = stop.event, of_request(asked)
    return isinstance(event, StopRequested) and is_about(event, run) and may_end(event, run)


def _was_away(story: Story, stop: Entry) -> bool:
    at = stop.appended_ms / 1000
    return any(begin - HEARD_WITHIN_S < at < end + HEARD_WITHIN_S for begin, end in story.stands.away)


def elsewhere(story: Story) -> Iterable[str]:
    """Effects and messages in another team, channel or thread than their command's, or for another tenant.

    What somebody is told who wanted to stop a run has no command: it belongs where some run is.
    """
    places = story.places | {run_id: place_of(entry.event) for run_id, entry in story.runs.items()}
    for each in story.stands.ledger:
        effect = getattr(each.event, "effect", None)
        place = places.get((effect.run_id or effect.command_id or "") if effect is not None else "")
        if effect is None:
            yield each.id
        elif place is None and effect.purpose == "notice":
            if not any(_is_there(effect, known) for known in places.values()):
                yield each.id
        elif place is None or not _is_there(effect, place):
            yield each.id
    for shown in story.stands.shown:
        place = places.get(story.owner(shown) or "")
        if place is not None and (shown.team, shown.channel, shown.thread) != (
            place.team_id,
            place.channel_id,
            place.thread_ts,
        ):
            yield f"{shown.channel}/{shown.ts}"


def _is_there(effect: EffectOf, place: Place) -> bool:
    named = ("tenant_id", "connection", "team_id", "channel_id", "thread_ts")
    return all(getattr(effect, name) == getattr(place, name) for name in named)


def of_other_threads(story: Story) -> Iterable[str]:
    """Questions with which a model was shown words of another thread."""
    threads: dict[int, str | None] = dict(story.stands.threads)
    threads |= {story.question(run_id): place_of(entry.event).thread_ts for run_id, entry in story.runs.items()}
    for asked in story.stands.asked:
        if {threads.get(each) for each in asked.shown} != {threads[asked.question]}:
            yield f"run-{asked.question}"


def committed_too_soon(story: Story) -> Iterable[str]:
    """Commands below a commit that were not done when it was seen.

    Each look asked for the commit first and for the ends of the audit and of the ledger then. What stood before the
    commit therefore lies before those ends; a result behind them came after the commit. Keys and partition counts are
    the same, so that a command's results stand in the partition of its own number.
    """
    done = _done_at(story)
    for look in story.stands.looks:
        for each in story.stands.commands:
            if each.partition != look.partition or each.offset >= look.commit:
                continue
            is_run = isinstance(each.event, Asked)
            name = each.event.run_id if isinstance(each.event, Asked) else each.id
            if done.get(name, look.audit_end + look.effects_end) >= (look.audit_end if is_run else look.effects_end):
                yield f"{each.id} below {look.commit}"


def _done_at(story: Story) -> dict[str, int]:
    """Where a run's final state stands in the audit, and another command's result in the ledger."""
    found: dict[str, int] = {}
    for each in story.stands.audit:
        if isinstance(each.event, RunState) and each.event.state in FINAL:
            found.setdefault(each.event.run_id or "", each.offset)
    for each in story.stands.ledger:
        event = each.event
        if isinstance(event, EffectConfirmed | EffectFailed | EffectUnknown) and event.effect.run_id is None:
            found.setdefault(event.effect.command_id or "", each.offset)
    return found


def spares(story: Story) -> Iterable[str]:
    """Effects that stand in Slack more than once: a look-up did not find what was there."""
    counts = Counter(each.marks["effect_id"] for each in story.stands.shown if "effect_id" in each.marks)
    return (effect_id for effect_id, count in counts.items() if count > 1)


def chores_not_done_once(story: Story) -> Iterable[str]:
    """Programs' messages that do not stand once, and emoji that are not there."""
    for each in story.commands:
        if isinstance(each.event, OutboundMessage) and len(story.messages.get(each.id, ())) != 1:
            yield each.id
        if isinstance(each.event, EmojiRequested):
            where = (each.event.place.channel_id or "", each.event.message_ts)
            if where not in story.stands.emoji:
                yield each.id


def errors_of_ours(story: Story) -> Iterable[str]:
    """Runs that ended with an error which the model did not make."""
    return (run_id for run_id in story.ended("error") if not is_refused(story.question(run_id)))


def dead(story: Story) -> Iterable[str]:
    """Commands that were taken for what nobody can understand."""
    return (each.id for each in story.stands.dead)


CHECKS: Final[Mapping[str, Callable[[Story], Iterable[str]]]] = {
    "runs without a visible reply": unanswered,
    "runs with more than one": answered_twice,
    "answers with lines lost or doubled": garbled,
    "runs that Slack and the audit tell differently": otherwise_than_shown,
    "messages of nobody's": of_nobody,
    "messages still under way": under_way,
    "replies out of their thread's order": out_of_order,
    "runs without a final state": without_end,
    "runs with two final states": with_two_ends,
    "meant after a stop": meant_after_a_stop,
    "stops that nobody heard": not_stopped,
    "effects in another place": elsewhere,
    "models shown other threads": of_other_threads,
    "commits past what was not done": committed_too_soon,
    "look-ups that left spares": spares,
    "chores not done once": chores_not_done_once,
    "errors that no model made": errors_of_ours,
    "dead letters": dead,
}


def wrong(stands: Stands) -> dict[str, list[str]]:
    """What is not as it must be, by check."""
    story = Story(stands)
    return {name: list(check(story)) for name, check in CHECKS.items()}


def told(stands: Stands) -> dict[str, float]:
    """How it went otherwise."""
    story = Story(stands)
    repeats = Counter(each.id for each in stands.commands)
    doubled = set(answered_twice(story))
    recognised = [
        each for each in story.commands if repeats[each.id] > 1 and getattr(each.event, "run_id", None) not in doubled
    ]
    return {
        "runs": float(len(story.runs)),
        "answered": float(len(story.ended("complete"))),
        "cancelled": float(len(story.ended("cancelled"))),
        "errored": float(len(story.ended("error"))),
        "stops": float(len(stands.stops)),
        "commands repeated": float(sum(count - 1 for count in repeats.values())),
        "of them recognised": float(len(recognised)),
        "model calls for each run": len(stands.asked) / max(1, len(story.runs)),
        "calls meant": float(sum(isinstance(each.event, EffectIntended) for each in stands.ledger)),
        "of them looked up": float(
            sum(
                isinstance(each.event, EffectConfirmed) and each.event.settled_by == "look_up" for each in stands.ledger
            )
        ),
        "commits looked at": float(len(stands.looks)),
    }
