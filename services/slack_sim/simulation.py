"""Everything that the simulated Slack consists of, put together."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from services.kit.clock import Clock
from services.slack_sim.delivery.dispatcher import Dispatcher
from services.slack_sim.delivery.http import Http
from services.slack_sim.delivery.policy import Policy
from services.slack_sim.delivery.sockets import Sockets
from services.slack_sim.faults.calls import CallFaults
from services.slack_sim.faults.links import LinkFaults
from services.slack_sim.installing import Installing
from services.slack_sim.openid import OpenId
from services.slack_sim.people.response_urls import ResponseUrls
from services.slack_sim.people.triggers import Triggers
from services.slack_sim.people.views import Views
from services.slack_sim.records import Calls
from services.slack_sim.sessions import Sessions
from services.slack_sim.streams import STREAM_S, Streams
from services.slack_sim.talk import Talk
from services.slack_sim.telling.events import Events
from services.slack_sim.web_api.limits import Limits, RateLimits
from services.slack_sim.world import sample
from services.slack_sim.world.entities import Counters
from services.slack_sim.world.moments import Moments
from services.slack_sim.world.names import Names
from services.slack_sim.world.storage import Storage, kept_up
from services.slack_sim.world.world import World

log = logging.getLogger(__name__)


class Simulation:
    """A simulated Slack, without the servers in front of it."""

    def __init__(self, clock: Clock, counters: Counters, kept: int) -> None:
        self.world = world = World(counters)
        self.names = names = Names(counters)
        self.moments = moments = Moments(clock, counters)
        self.calls = Calls(kept)
        self.link_faults = LinkFaults(moments, counters.seed)
        self.call_faults = CallFaults(counters.seed)
        self.limits = Limits(moments)
        self.dispatcher = Dispatcher(world, names, moments, kept)
        self.sockets = Sockets(world, names, moments, self.dispatcher, self.link_faults, counters.seed)
        self.http = Http(world, names, moments, self.dispatcher, self.link_faults)
        self.dispatcher.carry(self.sockets, self.http)
        self.events = Events(world, names, moments, self.dispatcher)
        self.talk = Talk(world, names, moments, self.events)
        self.streams = Streams(world, moments, self.talk, self.events)
        self.sessions = Sessions(world, moments)
        self.installing = Installing(world, names, moments, self.events)
        self.openid = OpenId(world, names, moments)
        self.triggers = Triggers(names, moments)
        self.response_urls = ResponseUrls(world, names, moments, self.talk)
        self.views = Views(world, names, moments)
        self.storage: Storage | None = None
        self.epoch = 0
        """How often it was started over: whatever began before must not touch what is there now."""
        self.address = ""
        """Where it is reached."""

    def begin(self) -> None:
        """Makes the first world: a workspace with people, channels and an agent."""
        workspace, channels = sample.first_workspace(self.world, self.names, self.moments)
        app = sample.new_app(self.names, sample.AGENT)
        self.world.keep(app)
        first = self.world.users_of(workspace.id)[0]
        installation = self.installing.install(app, workspace.id, first.id)
        for channel in channels:
            if channel.name in sample.WITHOUT_AGENT:
                continue
            channel.members.append(installation.bot_user_id)
            self.world.keep(channel)

    def forget_records(self) -> None:
        """Forgets what was recorded, and everybody's use of their limits."""
        self.calls.forget_all()
        self.dispatcher.forget_records()
        self.http.forget_records()
        self.limits.forget_all()

    def start_over(self) -> None:
        """Forgets everything, ends every socket, and makes the first world anew, with the same names."""
        self.epoch += 1
        self.sockets.forget_all()
        self.dispatcher.forget_all()
        self.http.forget_all()
        self.forget_records()
        self.moments.forget_all()
        self.link_faults.clear()
        self.call_faults.clear()
        self.dispatcher.policy, self.limits.rules = Policy(), RateLimits()
        self.streams.idle_s = self.streams.whole_s = STREAM_S
        self.triggers.forget_all()
        self.response_urls.forget_all()
        self.installing.forget_all()
        self.openid.forget_all()
        self.world.clear()
        if self.storage is not None:
            self.storage.empty()
        self.begin()

    def listen_at(self, address: str) -> None:
        """From now on it is reached there."""
        self.address = self.response_urls.base = address


@asynccontextmanager
async def simulation(
    clock: Clock, seed: str, *, fixed: bool, state: Path | None, kept: int
) -> AsyncIterator[Simulation]:
    """A simulated Slack: an empty one, or the one that a file holds."""
    counters = Counters(seed=seed, fixed=fixed)
    storage = Storage(state) if state is not None else None
    entities = list(storage.read()) if storage is not None else []
    if entities and isinstance(entities[0], Counters):
        if fixed and entities[0].seed != seed:
            log.warning("%s goes on with the seed that it was begun with, and not with the one that is given", state)
        counters = entities[0]
    slack = Simulation(clock, counters, kept)
    slack.storage = storage
    for entity in entities:
        slack.world.place(entity)
    async with AsyncExitStack() as stack:
        slack.http.open()
        stack.push_async_callback(slack.http.close)
        if storage is not None:
            await stack.enter_async_context(kept_up(storage, slack.world))
        if not slack.world.workspaces:
            slack.begin()
        slack.streams.resume()
        slack.sessions.resume()
        yield slack
        slack.moments.forget_all()
