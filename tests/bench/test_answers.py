"""The count after `./dev chaos responder`: sound where all is as it must be, and each check bites."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bench.answers import CHECKS, told, wrong
from bench.beds.answered import Entry, Shown, Stands
from bench.beds.commits import Look
from bench.beds.speaking import Asked, answer_to
from schemas import ids
from schemas.base import Event
from schemas.command import OutboundMessage, Place, RunRequested
from schemas.effect import EffectConfirmed, EffectIntended, EffectOf, EffectPurpose
from schemas.message import Channel, Message, Sender
from schemas.run import RunState, RunStateName
from schemas.stop import StopRequested, StopRun

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
MS = int(AT.timestamp() * 1000)
HERE = Place(tenant_id="acme", connection="A1:T1", team_id="T1", channel_id="C1", thread_ts="1.0")
FIRST, SECOND, CHORE = "run-of-1", "run-of-2", "chore-1"


def entry(offset: int, event: Event, name: str = "") -> Entry:
    return Entry(name or f"record-{offset}", 0, offset, MS + offset, event)


def asks(number: int, ts: str, place: Place = HERE) -> RunRequested:
    message = Message(
        id=ts,
        tenant_id=place.tenant_id,
        channel=Channel(id="C1", kind="channel"),
        sender=Sender(id="U1"),
        content=f"<@U2> run-{number}: what is up?",
        timestamp=AT,
    )
    return RunRequested(
        at=AT,
        run_id=f"run-of-{number}",
        cause=ts,
        event_id=ts,
        place=place,
        trigger="mention",
        agent_id="mara",
        message=message,
        directory_revision=1,
        received_at=AT,
    )


def stop(run_id: str) -> StopRequested:
    return StopRequested(
        at=AT,
        stop_id="s",
        cause="s",
        tenant_id="acme",
        connection="A1:T1",
        target=StopRun(run_id=run_id),
        source="button",
        asked_by="U1",
        may_stop_anyone=False,
        directory_revision=1,
    )


def effect(name: str, purpose: EffectPurpose, **more: Any) -> EffectOf:
    is_run = name.startswith("run")
    named = {"run_id": name if is_run else None, "command_id": f"command-{name}" if is_run else name}
    place = {**HERE.model_dump(), **named, **more}
    return EffectOf(effect_id=ids.effect_id(name, purpose, 0), method="chat.postMessage", purpose=purpose, **place)


def means(name: str, purpose: EffectPurpose, **more: Any) -> EffectIntended:
    return EffectIntended(at=AT, effect=effect(name, purpose, **more), settlement="look_up", arguments_json="{}")


def did(name: str, purpose: EffectPurpose, ts: str) -> EffectConfirmed:
    return EffectConfirmed(at=AT, effect=effect(name, purpose), message_ts=ts)


def state(run_id: str, state: RunStateName) -> RunState:
    return RunState(
        at=AT, state=state, run_id=run_id, tenant_id="acme", connection="A1:T1", session="s", channel="C1", origin="dm"
    )


def says(name: str, ts: str, text: str, purpose: EffectPurpose = "placeholder") -> Shown:
    owner = {"run_id": name} if name.startswith("run") else {"command_id": name}
    return Shown("T1", "C1", "1.0", ts, text, {"effect_id": ids.effect_id(name, purpose, 0), **owner})


def sound() -> Stands:
    """One run is answered, one is stopped in the middle, a program says something."""
    begun = answer_to(2).text.splitlines()[0]
    program = OutboundMessage(at=AT, effect_id="e", request_key="k", token_id="t", text="hi", **HERE.model_dump())
    ledger = [
        means(FIRST, "placeholder"),
        did(FIRST, "placeholder", "1.1"),
        means(FIRST, "answer"),
        did(FIRST, "answer", "1.1"),
        means(SECOND, "placeholder"),
        did(SECOND, "placeholder", "1.2"),
        means(SECOND, "stopped"),
        did(SECOND, "stopped", "1.2"),
        did(CHORE, "message", "1.3"),
    ]
    return Stands(
        commands=[
            entry(0, asks(1, "1.0"), "command-1"),
            entry(1, asks(2, "1.01"), "command-2"),
            entry(2, asks(1, "1.0"), "command-1"),
            entry(3, program, CHORE),
        ],
        stops=[entry(0, stop(SECOND))],
        ledger=[entry(number, each) for number, each in enumerate(ledger)],
        audit=[entry(0, state(FIRST, "complete")), entry(1, state(SECOND, "cancelled"))],
        shown=[
            says(FIRST, "1.1", answer_to(1).text),
            says(SECOND, "1.2", f"{begun}\n\n⏹️ Stopped by <@U1>."),
            says(CHORE, "1.3", "hi", "message"),
        ],
        asked=[Asked(1, frozenset({1}), 0.0, 1.0), Asked(2, frozenset({1, 2}), 1.0, 2.0)],
        looks=[Look(0, 0, 0, 0), Look(0, 1, 1, 4), Look(0, 4, 2, 9)],
    )


def with_shown(stands: Stands, *shown: Shown) -> Stands:
    return replace(stands, shown=list(shown))


def with_ledger(stands: Stands, *more: Event) -> Stands:
    return replace(stands, ledger=[*stands.ledger, *(entry(100 + at, each) for at, each in enumerate(more))])


def doubled(stands: Stands) -> Stands:
    return with_shown(stands, *stands.shown, replace(stands.shown[0], ts="1.4"))


def reworded(stands: Stands, text: str) -> Stands:
    return with_shown(stands, replace(stands.shown[0], text=text), *stands.shown[1:])


def anonymous(stands: Stands) -> Stands:
    return with_shown(stands, *stands.shown, Shown("T1", "C1", "1.0", "9.9", "Who is it?"))


BROKEN: dict[str, Callable[[Stands], Stands]] = {
    "runs without a visible reply": lambda sound: with_shown(sound, *sound.shown[1:]),
    "runs with more than one": doubled,
    "answers with lines lost or doubled": lambda sound: reworded(sound, answer_to(1).text[50:]),
    "runs that Slack and the audit tell differently": lambda sound: reworded(sound, "⚠️ No."),
    "messages of nobody's": anonymous,
    "messages still under way": lambda sound: with_shown(
        sound, replace(sound.shown[0], is_under_way=True), *sound.shown[1:]
    ),
    "replies out of their thread's order": lambda sound: with_shown(
        sound, replace(sound.shown[0], ts="1.9"), *sound.shown[1:]
    ),
    "runs without a final state": lambda sound: replace(sound, audit=sound.audit[:1]),
    "runs with two final states": lambda sound: replace(sound, audit=[*sound.audit, entry(9, state(FIRST, "error"))]),
    "meant after a stop": lambda sound: with_ledger(sound, means(SECOND, "answer")),
    "stops that nobody heard": lambda sound: replace(
        sound,
        stops=[entry(0, stop(FIRST))],
        asked=[Asked(1, frozenset({1}), 0.0, MS / 1000 + 60)],
    ),
    "effects in another place": lambda sound: with_ledger(sound, means(FIRST, "answer", team_id="T2")),
    "models shown other threads": lambda sound: replace(
        sound,
        commands=[*sound.commands, entry(4, asks(3, "2.0", HERE.model_copy(update={"thread_ts": "2.0"})))],
        asked=[Asked(1, frozenset({1, 3}), 0.0, 1.0)],
    ),
    "commits past what was not done": lambda sound: replace(sound, looks=[Look(0, 2, 1, 9)]),
    "look-ups that left spares": doubled,
    "chores not done once": lambda sound: with_shown(sound, *sound.shown[:2]),
    "errors that no model made": lambda sound: replace(sound, audit=[entry(0, state(FIRST, "error"))]),
    "dead letters": lambda sound: replace(sound, dead=[entry(0, stop(FIRST))]),
}


def test_where_all_is_as_it_must_be_nothing_is_wrong() -> None:
    assert {name: names for name, names in wrong(sound()).items() if names} == {}


def test_how_it_went_is_told() -> None:
    found = told(sound())
    assert (found["runs"], found["answered"], found["cancelled"], found["errored"]) == (2, 1, 1, 0)
    assert (found["commands repeated"], found["of them recognised"]) == (1, 1)


@pytest.mark.parametrize("name", CHECKS)
def test_each_check_sees_what_it_is_for(name: str) -> None:
    assert wrong(BROKEN[name](sound()))[name]
