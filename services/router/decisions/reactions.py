"""The sixth gate's other half: a tenant's rules, which may want an answer to what addresses nobody."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from schemas.decision import Ignored
from schemas.reaction import SkipReason
from services.router.decisions import addressing, bots, keys, text
from services.router.decisions.event import Event
from services.router.decisions.facts import Facts, Rule, Tenant, When
from services.router.decisions.inbound import Joined, Posted, Reacted
from services.router.decisions.outcome import Evaluation, Matched, Outcome, Skipped
from services.router.decisions.wanted import Wanted

_NEARNESS: Final[tuple[SkipReason, ...]] = ("channel", "sender", "no_match", "pattern", "cooldown")
"""The order of the filters: the further a rule came, the nearer it was."""


@dataclass(frozen=True, slots=True)
class Happening:
    """What rules look at."""

    when: When
    channel: str
    sender: str
    text: str = ""
    emoji: str | None = None
    thread_ts: str | None = None
    message_ts: str | None = None


def gate(event: Event, tenant: Tenant, facts: Facts, now: float) -> Wanted | Outcome:
    """The run that a rule wants; otherwise nothing is done, and why no rule wants one."""
    happening = _happening(event, tenant)
    if happening is None or _may_be_a_mention(event, tenant):
        return Outcome(Ignored(reason="not_addressed"))
    whose = keys.of(event.connection, tenant.id)
    rule, evaluation = evaluate(happening, tenant.rules, whose, facts, now)
    if rule is None:
        return Outcome(Ignored(reason="not_addressed"), evaluation=evaluation)
    agent_id = _agent_of(rule, happening.channel, tenant)
    if agent_id is None:
        return Outcome(Ignored(reason="no_agent"), evaluation=_lost(evaluation, "no_match"), rule=rule)
    return Wanted(
        trigger="rule",
        cause=event.cause.name,
        agent_id=agent_id,
        channel=happening.channel,
        sender=happening.sender,
        thread_ts=happening.thread_ts,
        rule=rule,
        evaluation=evaluation,
        asks=happening.when == "emoji_reaction",
        message_ts=happening.message_ts,
    )


def _may_be_a_mention(event: Event, tenant: Tenant) -> bool:
    """Where nobody says who we are: the mention that Slack tells of beside such a message wins."""
    posted = event.inbound
    if not isinstance(posted, Posted) or bots.self_of(posted.origin, tenant) is not None:
        return False
    return bool(text.read(posted.text).mentions)


def of_mention(wanted: Wanted, event: Event, tenant: Tenant, facts: Facts, now: float) -> Wanted:
    """A mention is answered in any case; a rule for mentions may say by whom and with which prompt."""
    posted = event.inbound
    rules = [rule for rule in tenant.rules if rule.when == "mention"]
    if wanted.trigger != "mention" or not rules or not isinstance(posted, Posted):
        return wanted
    said = text.read(posted.text, bots.self_in(posted, tenant)).content
    happening = Happening("mention", posted.channel, wanted.sender, said)
    rule, evaluation = evaluate(happening, rules, keys.of(event.connection, tenant.id), facts, now)
    if rule is None:
        return replace(wanted, evaluation=evaluation)
    agent_id = _agent_of(rule, posted.channel, tenant) if rule.agent is not None else wanted.agent_id
    return replace(wanted, rule=rule, evaluation=evaluation, agent_id=agent_id or wanted.agent_id)


def evaluate(
    happening: Happening, rules: Iterable[Rule], whose: str, facts: Facts, now: float
) -> tuple[Rule | None, Evaluation]:
    """The first rule that matches, in the order in which they win; otherwise what the nearest one failed on."""
    candidates = [rule for rule in rules if rule.when == happening.when]
    nearest: SkipReason = "no_rules"
    for rule in candidates:
        failed = failure_of(rule, happening, whose, facts, now)
        if failed is None:
            return rule, Matched(rule_name=rule.name, summary=rule.summary, candidate_count=len(candidates))
        if nearest == "no_rules" or _NEARNESS.index(failed) > _NEARNESS.index(nearest):
            nearest = failed
    return None, Skipped(reason=nearest, candidate_count=len(candidates))


def failure_of(rule: Rule, happening: Happening, whose: str, facts: Facts, now: float) -> SkipReason | None:
    """The filter that a rule fails on; nothing where it matches."""
    if rule.channels and happening.channel not in rule.channels:
        return "channel"
    if rule.senders and happening.sender not in rule.senders:
        return "sender"
    if rule.emoji and happening.emoji not in rule.emoji:
        return "no_match"
    if rule.pattern is not None and not rule.pattern.search(happening.text):
        return "pattern"
    return "cooldown" if _rests(rule, happening.channel, whose, facts, now) else None


def _rests(rule: Rule, channel: str, whose: str, facts: Facts, now: float) -> bool:
    if rule.cooldown_s == 0:
        return False
    matched = facts.memory.get(keys.rest(whose, rule.name, channel), now)
    return matched is not None and now < float(matched.value) + rule.cooldown_s


def _lost(evaluation: Evaluation, reason: SkipReason) -> Evaluation:
    """A rule that matched, and leads to no run all the same."""
    if isinstance(evaluation, Matched):
        return Skipped(reason=reason, candidate_count=evaluation.candidate_count)
    return evaluation


def lost(wanted: Wanted, reason: SkipReason) -> Evaluation | None:
    """What becomes of a rule's match where the run may not start."""
    return None if wanted.evaluation is None else _lost(wanted.evaluation, reason)


def _agent_of(rule: Rule, channel: str, tenant: Tenant) -> str | None:
    if rule.agent is not None:
        return rule.agent if any(agent.id == rule.agent for agent in tenant.agents) else None
    agent = addressing.agent_for(tenant, channel)
    return agent.id if agent is not None else None


def _happening(event: Event, tenant: Tenant) -> Happening | None:
    match event.inbound:
        case Posted() as posted:
            said = text.read(posted.text, bots.self_of(posted.origin, tenant)).content
            thread = posted.thread_ts or posted.ts
            sender = posted.origin.sender or ""
            return Happening("message", posted.channel, sender, said, None, thread, posted.ts)
        case Reacted(channel=channel, emoji=emoji, message_ts=ts, origin=origin):
            return Happening("emoji_reaction", channel, origin.sender or "", "", emoji, ts, ts)
        case Joined(channel=channel, origin=origin):
            return Happening("join", channel, origin.sender or "")
        case _:
            return None
