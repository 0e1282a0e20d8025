"""Tenants of the directory as decisions need them; each revision is made ready once."""

from collections.abc import Iterator

import re2

from schemas.slack import is_channel_name
from services.directory.document import Limit as DescribedLimit
from services.directory.document import Rule as DescribedRule
from services.directory.document import TenantFacts
from services.directory.holding import Known
from services.router.decisions.facts import Agent, Limit, Rule, Tenant

KEPT = 10_000


class Tenants:
    """What was made ready, by tenant."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._ready: dict[str, tuple[Known, Tenant]] = {}

    def ready(self, known: Known) -> Tenant:
        """The tenant as this revision has it."""
        found = self._ready.get(known.tenant_id)
        if found is not None and found[0] is known:
            return found[1]
        tenant = tenant_of(known.facts, self._per_minute)
        self._ready.pop(known.tenant_id, None)
        self._ready[known.tenant_id] = (known, tenant)
        if len(self._ready) > KEPT:
            del self._ready[next(iter(self._ready))]
        return tenant


def tenant_of(facts: TenantFacts, per_minute: int) -> Tenant:
    """A tenant, made ready."""
    agents = tuple(
        Agent(each.id, each.name, frozenset(each.channels), each.default) for each in facts.agents if each.enabled
    )
    ids = {each.id for each in agents}
    answered = [each for each in facts.rules if each.enabled and each.agent in {None, *ids}]
    rules = sorted(answered, key=lambda each: (-each.priority, each.name))
    homes = {each.workspace for each in facts.connections}
    homes |= {each.organization for each in facts.connections if each.organization is not None}
    agents_channels = {facts.agents_channel_in(each.workspace) for each in facts.connections}
    return Tenant(
        id=facts.id,
        enabled=facts.enabled,
        anyone_may_stop=facts.anyone_may_stop,
        strangers_may_ask=facts.strangers_may_ask,
        agents_channels=frozenset(each for each in agents_channels if not is_channel_name(each)),
        agents=agents,
        rules=tuple(_rule(each) for each in rules),
        limits=tuple(_limits(facts.limits, per_minute)),
        stoppers=frozenset(each.user for each in facts.people if "stop" in each.may),
        homes=frozenset(homes),
        partners={each.workspace: each.may_ask for each in facts.partners},
        closed=frozenset(f"{each.app}:{each.workspace}" for each in facts.installations if each.closed_at is not None),
        bot_users={f"{each.app}:{each.workspace}": each.bot_user for each in facts.installations if each.bot_user},
    )


def _rule(described: DescribedRule) -> Rule:
    options = re2.Options()
    options.log_errors = False
    return Rule(
        name=described.name,
        when=described.when,
        channels=frozenset(described.channels),
        senders=frozenset(described.senders),
        emoji=frozenset(described.emoji),
        pattern=re2.compile(described.pattern, options) if described.pattern is not None else None,
        prompt=described.prompt,
        agent=described.agent,
        priority=described.priority,
        cooldown_s=described.cooldown_s,
        summary="; ".join(_filters(described)),
    )


def _filters(rule: DescribedRule) -> Iterator[str]:
    """Which filters a rule has. A pattern is only said to be there: it could quote what people write."""
    yield rule.when
    for name, values in (("channels", rule.channels), ("senders", rule.senders), ("emoji", rule.emoji)):
        if values:
            yield f"{name} {', '.join(values)}"
    if rule.pattern is not None:
        yield "pattern"
    if rule.cooldown_s:
        yield f"cooldown {rule.cooldown_s} s"


def _limits(described: tuple[DescribedLimit, ...], per_minute: int) -> Iterator[Limit]:
    """The tenant's own, and in any case one for its connection."""
    for each in described:
        yield Limit(each.scope, each.per_minute, each.burst or each.per_minute)
    if not any(each.scope == "connection" for each in described):
        yield Limit("connection", per_minute, per_minute)
