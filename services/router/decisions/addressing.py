"""The sixth gate: whether an agent is addressed, and which one."""

from schemas.buttons import ASK, ASK_COMMAND
from schemas.command import Trigger
from services.router.decisions import bots, keys, text
from services.router.decisions.event import Event
from services.router.decisions.facts import Agent, Facts, Tenant
from services.router.decisions.inbound import Asked, Commanded, Posted, Shortcut
from services.router.decisions.place import message_ts_of, where
from services.router.decisions.wanted import Wanted


def gate(event: Event, tenant: Tenant, facts: Facts, now: float) -> Wanted | None:
    """The run that is asked for; nothing where nobody is addressed. Who answers may still be open."""
    match event.inbound:
        case Posted() as posted:
            return _of_message(event, posted, tenant, facts, now)
        case Commanded(command=command, text=typed) if command == ASK_COMMAND and typed.strip():
            return _asked("command", event, agent_for(tenant, where(event)[0], typed))
        case Shortcut(callback_id=callback_id, message=Posted()) if callback_id == ASK:
            return _asked("shortcut", event, _in_thread(event, tenant, facts, now))
        case Asked(run=run):
            named = next((agent for agent in tenant.agents if agent.id == run.agent), None)
            agent = _in_thread(event, tenant, facts, now) if run.agent is None else named
            return _asked("gateway", event, agent)
        case _:
            return None


def again(event: Event, tenant: Tenant, facts: Facts, now: float) -> Wanted:
    """The run that a click on an old answer asks for: by the agent of that thread."""
    return _asked("retry", event, _in_thread(event, tenant, facts, now))


def _of_message(event: Event, posted: Posted, tenant: Tenant, facts: Facts, now: float) -> Wanted | None:
    followed = _followed(event, tenant, facts, now)
    self_id = bots.self_in(posted, tenant)
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
    agent = agent_for(tenant, posted.channel, said.content, followed)
    return _asked(trigger, event, agent)


def _followed(event: Event, tenant: Tenant, facts: Facts, now: float) -> str | None:
    """The agent that answers in the thread, if one does."""
    channel, thread = where(event)
    if channel is None or thread is None:
        return None
    found = facts.memory.get(keys.thread(keys.of(event.connection, tenant.id), channel, thread), now)
    return str(found.value) if found is not None else None


def _in_thread(event: Event, tenant: Tenant, facts: Facts, now: float) -> Agent | None:
    return agent_for(tenant, where(event)[0], followed=_followed(event, tenant, facts, now))


def _asked(trigger: Trigger, event: Event, agent: Agent | None) -> Wanted:
    channel, thread = where(event)
    sender = event.inbound.origin.sender or ""
    agent_id = agent.id if agent is not None else None
    ts = message_ts_of(event)
    asks = trigger != "gateway"
    return Wanted(trigger, event.cause.name, agent_id, channel, sender, thread, asks=asks, message_ts=ts)


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
