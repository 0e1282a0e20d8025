"""The sixth gate: whether an agent is addressed, and which one."""

from schemas.buttons import ASK, ASK_COMMAND
from schemas.command import Trigger
from schemas.decision import Ignored
from services.router.decisions import bots, keys, text
from services.router.decisions.event import Event
from services.router.decisions.facts import Agent, Facts, Tenant
from services.router.decisions.inbound import Asked, Commanded, Posted, Shortcut
from services.router.decisions.outcome import Outcome
from services.router.decisions.place import where
from services.router.decisions.wanted import Wanted


def gate(event: Event, tenant: Tenant, facts: Facts, now: float) -> Wanted | Outcome | None:
    """The run that is asked for; nothing where nobody is addressed."""
    match event.inbound:
        case Posted() as posted:
            return _of_message(posted, tenant, facts, now)
        case Commanded(command=command) as commanded if command == ASK_COMMAND and commanded.text.strip():
            agent = agent_for(tenant, commanded.channel, commanded.text)
            return _asked("command", agent, event)
        case Shortcut(callback_id=callback_id, message=Posted() as message) if callback_id == ASK:
            return _asked("shortcut", agent_for(tenant, message.channel), event)
        case Asked(run=run):
            named = [agent for agent in tenant.agents if agent.id == run.agent]
            agent = agent_for(tenant, run.channel_id) if run.agent is None else next(iter(named), None)
            return _asked("gateway", agent, event)
        case _:
            return None


def _of_message(posted: Posted, tenant: Tenant, facts: Facts, now: float) -> Wanted | Outcome | None:
    origin = posted.origin
    followed = facts.memory.get(keys.thread(origin.connection, posted.channel, posted.thread_ts or posted.ts), now)
    self_id = bots.self_of(origin, tenant)
    said = text.read(posted.text, self_id)
    trigger: Trigger
    if posted.event_type == "app_mention" or (self_id is not None and self_id in said.mentions):
        trigger = "mention"
    elif posted.channel_kind == "im":
        trigger = "dm"
    elif followed is not None:
        trigger = "thread"
    else:
        return None
    agent = agent_for(tenant, posted.channel, said.content, str(followed.value) if followed is not None else None)
    if agent is None:
        return Outcome(Ignored(reason="no_agent"))
    return Wanted(
        trigger=trigger,
        agent_id=agent.id,
        channel=posted.channel,
        sender=origin.sender or "",
        thread_ts=posted.thread_ts or posted.ts,
        message_ts=posted.ts,
    )


def _asked(trigger: Trigger, agent: Agent | None, event: Event) -> Wanted | Outcome:
    """Of a command, a shortcut or a program, whose place says where."""
    if agent is None:
        return Outcome(Ignored(reason="no_agent"))
    channel, thread_ts = where(event)
    inbound = event.inbound
    message_ts = inbound.message.ts if isinstance(inbound, Shortcut) and inbound.message is not None else None
    return Wanted(trigger, agent.id, channel, inbound.origin.sender or "", thread_ts, message_ts=message_ts)


def agent_for(tenant: Tenant, channel: str | None, said: str = "", followed: str | None = None) -> Agent | None:
    """Who answers: whom the text names first, who answers in the thread, who is bound to the channel, the default."""
    return (
        (_named(tenant, said) if len(tenant.agents) > 1 else None)
        or next((agent for agent in tenant.agents if agent.id == followed), None)
        or next((agent for agent in tenant.agents if channel in agent.channels), None)
        or next((agent for agent in tenant.agents if agent.default), None)
        or (tenant.agents[0] if len(tenant.agents) == 1 else None)
    )


def _named(tenant: Tenant, said: str) -> Agent | None:
    """The agent whose name a text begins with; of several, the longest name."""
    words = said.lstrip("@").casefold()
    found = [
        (len(name), agent)
        for agent in tenant.agents
        for name in (agent.name.casefold(), agent.id)
        if words.startswith(name) and not words[len(name) : len(name) + 1].isalnum()
    ]
    return max(found, key=lambda each: each[0])[1] if found else None
