"""The invariants, held against everything that is there: each check names what is not as it must be."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from bench import answers
from bench.beds.decided import Seen
from bench.beds.undisturbed import Undisturbed, over_granted
from bench.chaos.facts import Facts
from bench.chaos.people import LIMITED, PER_MINUTE, Said
from bench.story import Story
from schemas.letter import DeadLetter
from schemas.record import CannotRead, decode
from schemas.topics import RUNS_COMMANDS, SLACK_INBOUND, Topic
from services.router.stream.deciding import Source

ADDRESSED: Final = frozenset({"mention", "direct", "twice", "crowd"})
"""What is said to the agent, whatever was said before."""


class Account:
    """The facts, put in order as the checks need them."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.story = Story(facts.stands)
        self.decided = facts.decided

    @cached_property
    def runs_of(self) -> dict[int, list[str]]:
        """By what was asked."""
        found: dict[int, list[str]] = defaultdict(list)
        for run_id in self.story.runs:
            found[self.story.question(run_id)].append(run_id)
        return found

    @cached_property
    def lost(self) -> frozenset[str]:
        """Deliveries of which an operator took note that nothing came."""
        return frozenset(
            _event_of(each) for each in self.facts.inbound if self.facts.is_lost(each.partition, each.offset)
        )

    @cached_property
    def deliveries(self) -> dict[tuple[str, str], set[str]]:
        """What Slack told of a message when it was said, by its channel and ts."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for each in self.facts.envelopes:
            event = each.payload.get("event") or {}
            if each.event_id is not None and "ts" in event and "subtype" not in event:
                found[event["channel"], event["ts"]].add(each.event_id)
        return found

    @cached_property
    def kinds(self) -> dict[str, set[str]]:
        """What was decided about a delivery."""
        found: dict[str, set[str]] = defaultdict(set)
        for each in self.decided.values():
            found[(each.get("event_id") or "").partition(":")[2]].add(each["decision"]["kind"])
        return found

    def kinds_of(self, said: Said) -> set[str]:
        """What was decided about one thing that was said."""
        return {kind for event in self.deliveries[said.channel, said.ts] for kind in self.kinds[event]}

    def is_lost(self, said: Said) -> bool:
        """Whether an operator or a responder took note that nothing came of it."""
        return said.number in self.facts.forgotten or bool(self.deliveries[said.channel, said.ts] & self.lost)


def _event_of(record: Seen) -> str:
    """Slack's own name for what a record of the log holds."""
    return record.id.partition(":")[2]


def acknowledged_and_gone(account: Account) -> Iterable[str]:
    """Deliveries that Slack was told are taken in, and that stand nowhere."""
    there = {_event_of(each) for each in account.facts.inbound}
    for each in account.facts.envelopes:
        if each.acknowledged_at is not None and each.event_id is not None and each.event_id not in there:
            yield each.event_id


def never_acknowledged(account: Account) -> Iterable[str]:
    """Deliveries that Slack gave up on, or lost."""
    return (each.event_id or each.name for each in account.facts.envelopes if each.acknowledged_at is None)


def undecided(account: Account) -> Iterable[str]:
    """Records of the log without a decision, of which no operator took note either."""
    for each in account.facts.inbound:
        where = each.partition, each.offset
        if where not in account.decided and not account.facts.is_lost(*where):
            yield f"{each.partition}/{each.offset}"


def decided_twice(account: Account) -> Iterable[str]:
    """Records with two decisions: two of different names."""
    names: dict[tuple[int, int], set[str]] = defaultdict(set)
    for record, each in account.facts.decisions:
        names[each["source_partition"], each["source_offset"]].add(record.id)
    return (f"{partition}/{offset}" for (partition, offset), found in names.items() if len(found) > 1)


def repeats_that_differ(account: Account) -> Iterable[str]:
    """Decisions that were written again, and otherwise."""
    first: dict[str, bytes] = {}
    for record, _ in account.facts.decisions:
        if first.setdefault(record.id, record.value) != record.value:
            yield record.id


def decided_otherwise(account: Account) -> Iterable[str]:
    """Decisions that a router to which nothing happens would not have made."""
    undisturbed = Undisturbed(account.facts.tenants, PER_MINUTE)
    for each in account.facts.inbound:
        where = each.partition, each.offset
        if where not in account.decided:
            continue
        source = Source(each.partition, each.offset, each.key, each.value, each.headers, each.appended_ms / 1000)
        if undisturbed.decide(source) != account.decided[where]["decision"]:
            yield f"{each.partition}/{each.offset}"


def rubbish_not_kept(account: Account) -> Iterable[str]:
    """Records that nobody can read, and that are no dead letters."""
    kept = {
        (each.event.source_topic, each.event.source_partition, each.event.source_offset)
        for each in account.facts.stands.dead
        if isinstance(each.event, DeadLetter)
    }
    for topic, records in ((SLACK_INBOUND, account.facts.inbound), (RUNS_COMMANDS, account.facts.commands)):
        for each in records:
            if _is_rubbish(topic, each) and (topic.name, each.partition, each.offset) not in kept:
                yield f"{topic.name}/{each.partition}/{each.offset}"


def _is_rubbish(topic: Topic, record: Seen) -> bool:
    try:
        decode(topic, record.headers, record.value)
    except CannotRead:
        return True
    return False


def asked_without_a_run(account: Account) -> Iterable[str]:
    """What was said to the agent, and became no run, though the limit had room and nothing was lost with notice."""
    for said in account.facts.said:
        if said.number not in account.runs_of and _must_be_answered(account, said):
            yield f"run-{said.number} ({said.kind})"


def _must_be_answered(account: Account, said: Said) -> bool:
    kinds = account.kinds_of(said)
    if account.is_lost(said) or (said.kind == "crowd" and "throttled" in kinds):
        return False
    in_its_thread = said.kind == "follow_up" and "ignored" not in kinds
    return said.kind in ADDRESSED or in_its_thread


def run_without_asking(account: Account) -> Iterable[str]:
    """Runs of what was not said to the agent."""
    asked = {each.number for each in account.facts.said if each.kind in {*ADDRESSED, "follow_up"}}
    for run_id in account.story.runs:
        question = account.story.question(run_id)
        if question not in asked:
            yield f"{run_id} (run-{question})"


def causes_with_two_runs(account: Account) -> Iterable[str]:
    """What was asked once, and became two runs."""
    return (f"run-{number}" for number, runs in account.runs_of.items() if len(runs) > 1)


def spoken_to_strangers(account: Account) -> Iterable[str]:
    """Words of ours in a workspace that no tenant owns."""
    known = {each.team for each in account.facts.workspaces.every}
    return (f"{each.channel}/{each.ts}" for each in account.facts.stands.shown if each.team not in known)


def granted_over_the_limit(account: Account) -> Iterable[str]:
    """Windows in which the limited workspace was granted more than its limit."""
    limited = account.facts.workspaces.every[LIMITED].team
    granted: dict[str, list[float]] = defaultdict(list)
    for found in account.decided.values():
        connection = found.get("connection") or ""
        if found["decision"]["kind"] == "dispatched" and connection.partition(":")[2] == limited:
            granted[connection].append(_at_s(found))
    return ["windows"] * over_granted(granted, PER_MINUTE)


def _at_s(decision: Mapping[str, Any]) -> float:
    """When it was made, as the log tells the time."""
    return datetime.fromisoformat(str(decision["at"])).timestamp()


def secrets_seen(account: Account) -> Iterable[str]:
    """Topics and logs in which a token, a key or a password stands."""
    return account.facts.secrets_seen


def ended_by_themselves(account: Account) -> Iterable[str]:
    """Services that did not live through it."""
    return (f"{how}, {count} times" for how, count in account.facts.exits.items())


def left_undone(account: Account) -> Iterable[str]:
    """What was not done when there was no more waiting."""
    return ["records"] * account.facts.left


INVARIANTS: Final[Mapping[str, Mapping[str, Callable[[Account], Iterable[str]]]]] = {
    "1. nothing acknowledged is lost": {
        "acknowledged, and not on the log": acknowledged_and_gone,
        "deliveries never acknowledged": never_acknowledged,
        "records without a decision": undecided,
        "records with two decisions": decided_twice,
        "rubbish that was not kept": rubbish_not_kept,
        "work left undone": left_undone,
    },
    "2. one cause, one run, one visible reply": {
        "asked, and no run": asked_without_a_run,
        "runs that nobody asked for": run_without_asking,
        "causes with two runs": causes_with_two_runs,
    },
    "3. a thread's replies in their order": {},
    "4. tenants never mix": {"words to a stranger": spoken_to_strangers},
    "5. a stop is final": {},
    "6. replay is exact": {
        "decided otherwise than without faults": decided_otherwise,
        "repeats of decisions that differ": repeats_that_differ,
    },
    "8. a limit never grants more": {"granted over the limit": granted_over_the_limit},
    "besides": {
        "services that ended by themselves": ended_by_themselves,
        "secrets on topics or in logs": secrets_seen,
    },
}
"""What only the whole way can tell. What the answers tell stands in ANSWERS."""

ANSWERS: Final[Mapping[str, tuple[str, ...]]] = {
    "2. one cause, one run, one visible reply": (
        "runs without a visible reply",
        "runs with more than one",
        "answers with lines lost or doubled",
        "runs that Slack and the audit tell differently",
        "messages of nobody's",
        "messages still under way",
        "runs without a final state",
        "runs with two final states",
        "look-ups that left spares",
        "commits past what was not done",
        "chores not done once",
        "errors that no model made",
        "dead letters",
    ),
    "3. a thread's replies in their order": ("replies out of their thread's order",),
    "4. tenants never mix": ("effects in another place", "models shown other threads"),
    "5. a stop is final": ("meant after a stop", "stops that nobody heard"),
}
"""Checks of `bench.answers`, by the invariant that they are about."""

INVARIANT_OF: Final[Mapping[str, str]] = {
    **{check: invariant for invariant, checks in INVARIANTS.items() for check in checks},
    **{check: invariant for invariant, checks in ANSWERS.items() for check in checks},
}


def wrong(facts: Facts) -> dict[str, list[str]]:
    """What is not as it must be, by check; only those that found something."""
    account = Account(facts)
    own = {name: list(check(account)) for checks in INVARIANTS.values() for name, check in checks.items()}
    return {name: found for name, found in {**own, **answers.wrong(facts.stands)}.items() if found}
