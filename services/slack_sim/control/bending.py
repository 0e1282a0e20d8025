"""Operations that bend the rules: time, limits, faults and load."""

import asyncio

from services.slack_sim.control import answers, asks
from services.slack_sim.control.named import Named
from services.slack_sim.control.operation import Operations
from services.slack_sim.people.people import People
from services.slack_sim.refusal import Refusal
from services.slack_sim.simulation import Simulation

PACE_S = 0.005
"""How often a load says what is due."""


class Bending:
    """Sets time and limits, breaks things, and makes load."""

    def __init__(self, slack: Simulation, people: People) -> None:
        self._slack, self._people, self._named = slack, people, Named(slack, people)

    def operations(self) -> Operations:
        """What it does, by what it is asked."""
        return {
            asks.Advance: self._advance,
            asks.Reset: self._reset,
            asks.SetLimits: self._limits,
            asks.SetPolicy: self._policy,
            asks.SetStreamLives: self._streams,
            asks.FailCalls: self._fail_calls,
            asks.Blackhole: self._blackhole,
            asks.RefuseSockets: self._refuse,
            asks.TroubleLinks: self._trouble,
            asks.DropSockets: self._drop,
            asks.DisconnectSockets: self._disconnect,
            asks.ClearFaults: self._clear_faults,
            asks.Load: self._load,
        }

    async def _advance(self, asked: asks.Advance) -> answers.Now:
        loop, slack = asyncio.get_running_loop(), self._slack
        epoch, seen = slack.epoch, -1

        async def let_apps_answer() -> None:
            nonlocal seen
            until = loop.time() + asked.grace_s * (
                slack.dispatcher.attempts != seen
            )  # none, where nothing was sent since
            seen = slack.dispatcher.attempts
            while slack.dispatcher.on_their_way and loop.time() < until:  # noqa: ASYNC110 - it ends in time
                await asyncio.sleep(PACE_S)
            if slack.epoch != epoch:
                raise Refusal("started_over")

        await self._slack.moments.advance(asked.seconds, let_apps_answer)
        return answers.Now(now=self._slack.moments.now())

    def _reset(self, asked: asks.Reset) -> answers.Nothing:
        if asked.what == "records":
            self._slack.forget_records()
        else:
            self._slack.start_over()
        return answers.Nothing()

    def _limits(self, asked: asks.SetLimits) -> answers.Nothing:
        self._slack.limits.rules = asked
        self._slack.limits.forget_all()
        return answers.Nothing()

    def _policy(self, asked: asks.SetPolicy) -> answers.Nothing:
        self._slack.dispatcher.policy = asked
        return answers.Nothing()

    def _streams(self, asked: asks.SetStreamLives) -> answers.Nothing:
        self._slack.streams.idle_s, self._slack.streams.whole_s = asked.idle_s, asked.whole_s
        return answers.Nothing()

    def _fail_calls(self, asked: asks.FailCalls) -> answers.Nothing:
        self._slack.call_faults.add(asked)
        return answers.Nothing()

    def _blackhole(self, asked: asks.Blackhole) -> answers.Nothing:
        self._slack.link_faults.blackhole(asked.seconds)
        return answers.Nothing()

    def _refuse(self, asked: asks.RefuseSockets) -> answers.Nothing:
        self._slack.link_faults.refuse(asked.seconds, asked.status, asked.app_id)
        return answers.Nothing()

    def _trouble(self, asked: asks.TroubleLinks) -> answers.Nothing:
        for name, value in dict(asked).items():
            setattr(self._slack.link_faults, name, value)
        return answers.Nothing()

    def _drop(self, asked: asks.DropSockets) -> answers.Hit:
        links = self._slack.sockets.links(asked.app_id)[: asked.count]
        for link in links:
            self._slack.sockets.drop(link)
        return answers.Hit(count=len(links))

    def _disconnect(self, asked: asks.DisconnectSockets) -> answers.Hit:
        sockets = self._slack.sockets
        links = sockets.links(asked.app_id)[: asked.count]
        for link in links:
            if asked.lead_s:
                sockets.disconnect(link, "warning")
            self._slack.moments.after(asked.lead_s, lambda link=link: sockets.disconnect(link, asked.reason))  # type: ignore[misc]
        return answers.Hit(count=len(links))

    def _clear_faults(self, _: asks.ClearFaults) -> answers.Nothing:
        self._slack.link_faults.clear()
        self._slack.call_faults.clear()
        return answers.Nothing()

    async def _load(self, asked: asks.Load) -> answers.Loaded:
        user = self._people.user(asked.user_id)
        channel = self._people.channel(asked.channel_id, user)
        loop = asyncio.get_running_loop()
        started = loop.time()
        said = 0
        epoch = self._slack.epoch
        while said < asked.count:
            if self._slack.epoch != epoch:
                raise Refusal("started_over")
            due = min(asked.count, int((loop.time() - started) * asked.per_second) + 1)
            for number in range(said, due):
                self._people.say(user, channel, asked.text.replace("{number}", str(number)))
            said = due
            await asyncio.sleep(PACE_S)
        return answers.Loaded(count=said, seconds=loop.time() - started)
