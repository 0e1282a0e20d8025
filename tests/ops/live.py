"""`threadline up` before a Slack whose link can be cut, those who ask there, and a Prometheus beside it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import ClientSession, web
from ruamel.yaml import YAML

from bench.beds.child import Child
from bench.beds.relay import Relay, relay
from bench.beds.supervisor import Reporter
from schemas.buttons import STOP
from services.directory.apply import How, apply
from services.directory.document import Connection, Document, Installation, Limit, Rule, Tenant
from services.directory.owner import owner_database
from services.directory.sign_in import Action
from services.directory.tokens import Tokens, Wanted
from services.kit.clock import SystemClock
from services.kit.groups import DatabaseSettings
from services.local import postgres, state
from services.local.home import Home, LocalSettings
from services.local.names import SERVICES
from services.local.sample import MARA, tenant_of
from services.slack_sim.app import slack_sim
from services.slack_sim.client import SlackSim, slack_sim_at
from services.slack_sim.control import asks
from services.slack_sim.control.conditions import AMessage, AnEphemeral
from services.slack_sim.settings import SlackSimSettings
from tests.local.product import answered, up
from tests.ops.prometheus import Prometheus, prometheus
from tests.slack_sim.first import First

MANIFEST = Path(__file__).parents[2] / "infra/slack/manifest.yaml"
MAY_ASK = 6
"""So often in a row each person may."""


ENOUGH = 3
"""Scrapes."""
SLOTS = 2
"""As many sockets an app has by default."""
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Live:
    """The product, and the Slack that it speaks with."""

    sim: SlackSim
    first: First
    link: Relay
    """Between the product and Slack."""
    home: Home
    running: Child
    """`threadline up` itself."""

    async def describe(self) -> None:
        """The sample tenant gets a rule and a limit."""
        first = self.first
        tenant = Tenant(
            id=tenant_of(first.team),
            name="Live",
            connections=(Connection(workspace=first.team),),
            installations=(Installation(app=first.app.id, workspace=first.team, bot_user=first.bot_user),),
            agents=(MARA,),
            rules=(Rule(name="invoices", pattern="invoice", prompt="Look into it: {text}"),),
            limits=(Limit(scope="user", per_minute=MAY_ASK),),
            anyone_may_approve=True,
            agents_channel=first.support,
        )
        async with owner_database(self._database()) as owner:
            await apply(owner, Document(version=1, tenants=(tenant,)), How(by="live"))

    def _database(self) -> DatabaseSettings:
        found = state.running(self.home)
        assert found is not None
        return postgres.Database.at(self.home, found.address_of(postgres.NAME)).settings()

    async def traffic(self) -> None:
        """An answer, a stop, a rule, a refusal by a limit, a program, words to agents, and what an agent does."""
        sim, first = self.sim, self.first
        await answered(sim, first, "hello")
        ts = await sim.say(first.you, first.support, f"<@{first.bot_user}> count to 900")
        growing = AMessage(
            channel_id=first.support, thread_ts=ts, user_id=first.bot_user, contains="3.", streaming=True
        )
        shown = await sim.wait(growing, 30)
        await sim.ask(asks.Press(user_id=first.you, channel_id=first.support, ts=str(shown["ts"]), action_id=STOP))
        await sim.wait(AMessage(channel_id=first.support, thread_ts=ts, contains="Stopped by"), 30)
        ts = await sim.say(first.you, first.support, "the invoice is wrong")
        await sim.wait(AMessage(channel_id=first.support, thread_ts=ts, user_id=first.bot_user, contains="invoice"), 30)
        for number in range(MAY_ASK + 2):
            await sim.say(first.colleague, first.general, f"<@{first.bot_user}> question {number}")
        refused = AnEphemeral(channel_id=first.general, user_id=first.colleague, contains="Too many requests")
        await sim.wait(refused, 30)
        await self._program_asks()
        await sim.say(first.you, first.support, "somebody should look after the plants")
        await self._agent_reports()

    async def _token(self, action: Action) -> str:
        async with owner_database(self._database()) as owner:
            wanted = Wanted(tenant_of(self.first.team), "live", (action,))
            return (await Tokens(owner, SystemClock()).create(wanted)).token.get_secret_value()

    async def _agent_reports(self) -> None:
        """A task from its beginning to its end, with something that is no event, and somebody who approves.

        Before it somebody whose token is not good.
        """
        address = self.running.said().rpartition("THREADLINE_AGENT_URL=")[2].split()[0]
        async with ClientSession() as session:
            status, _ = await Reporter(address, f"tl_{'x' * 40}", session).ask("GET", "/tasks")
            assert status == web.HTTPUnauthorized.status_code
            agent = Reporter(address, await self._token("agents"), session, "live-task")
            await agent.start()
            await agent.send(agent.event("task.dreamt"))
            await agent.checkpoint("Looking around", progress=0.4, cost_usd=0.1)
            asked = await agent.ask_to("Deploy", {"version": 4})

            async def is_known() -> bool:
                status, _ = await agent.ask("GET", f"/v1/approvals/{asked}")
                return status == web.HTTPOk.status_code

            await until(is_known, 30)
            line = f"/agent-task approve {asked}"
            await self.sim.ask(asks.RunCommand(user_id=self.first.you, channel_id=self.first.support, line=line))
            assert (await agent.answer(asked))["state"] == "approved"
            await agent.end()

    async def _program_asks(self) -> None:
        token = await self._token("runs")
        log = (self.home.logs / "ingress.log").read_text("utf-8")
        address = log.partition("takes calls at ")[2].partition(": ")[0]
        signed, body = {"Authorization": f"Bearer {token}"}, {"text": "Summarise the week"}
        async with ClientSession(address) as session:
            async with session.post("/v1/runs", json=body, headers=signed) as answer:
                assert answer.status == 202, await answer.text()
                run = (await answer.json())["run_id"]

            async def is_over() -> bool:
                async with session.get(f"/v1/runs/{run}", headers=signed) as answer:
                    return bool((await answer.json())["state"] == "complete")

            await until(is_over, 30)
            async with session.post("/slack/events", data=b"{}") as answer:
                assert answer.status == 401


@dataclass(frozen=True)
class Watched:
    """The product, and what Prometheus says of it."""

    live: Live
    prometheus: Prometheus

    async def replaced(self) -> float:
        """How many sockets were opened in place of one that was lost."""
        return sum(
            float(each["value"][1]) for each in await self.prometheus.ask("threadline_slack_socket_reconnects_total")
        )

    async def comes_and_goes(self) -> None:
        """All that goes over the link is cut off, and may be opened anew at once. Waits until it was."""
        before = await self.replaced()
        self.live.link.cut()
        self.live.link.mend()
        await self.until_replaced(before)

    async def until_replaced(self, before: float) -> None:
        """Waits until each slot has another socket."""

        async def is_so() -> bool:
            return await self.replaced() >= before + SLOTS and await self.is_connected()

        await until(is_so, PATIENCE_S)

    async def until_firing(self, name: str, within_s: float = PATIENCE_S, *, firing: bool = True) -> None:
        """Waits until an alert fires, or does not any more."""

        async def is_so() -> bool:
            return (name in await self.prometheus.firing()) is firing

        await until(is_so, within_s)

    async def is_watched(self) -> bool:
        """Whether every process was scraped, and not only once: what rises before that is not seen to rise."""
        found = await self.prometheus.ask("count_over_time(up[1m])")
        return [float(each["value"][1]) >= ENOUGH for each in found] == [True] * len(SERVICES)

    async def is_connected(self) -> bool:
        """Whether every slot has a socket, as Prometheus saw it last."""
        found = await self.prometheus.ask('threadline_slack_socket_state{state="connected"}')
        return [float(each["value"][1]) for each in found] == [1.0] * SLOTS


async def until(holds: Callable[[], Awaitable[bool]], within_s: float) -> None:
    """Waits until something is so."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 - what is waited for is somebody else's
            await asyncio.sleep(0.2)


async def of_the_manifest(sim: SlackSim, first: First) -> First:
    """An app that is made of the manifest, in the first workspace and in two of its channels. Commands are its own."""
    asked = YAML(typ="safe", pure=True).load(MANIFEST)
    commands = [asks.SlashCommand(name=each["command"]) for each in asked["features"]["slash_commands"]]
    await sim.ask(asks.ChangeApp(app_id=first.app.id, commands=[]))
    app = await sim.ask(
        asks.AddApp(
            name=asked["display_information"]["name"],
            scopes=asked["oauth_config"]["scopes"]["bot"],
            events=asked["settings"]["event_subscriptions"]["bot_events"],
            commands=commands,
        )
    )
    channels = [first.support, first.general]
    installed = await sim.ask(asks.InstallApp(app_id=app.id, team_id=first.team, channels=channels))
    return replace(first, app=app, bot_user=installed.bot_user_id, bot_token=installed.bot_token)


@asynccontextmanager
async def living(folder: Path) -> AsyncIterator[Live]:
    """Until it is left. It is told two tokens, as one is in whose workspace it shall answer."""
    settings = SlackSimSettings(slack_sim_port=0, slack_sim_seed="live")
    async with slack_sim(settings) as simulation, slack_sim_at(simulation.address) as sim:
        host, _, port = simulation.address.removeprefix("http://").partition(":")
        async with relay(host, int(port)) as link:
            first = await of_the_manifest(sim, First.of(await sim.world()))
            home = Home.of(LocalSettings(home=folder / "home"))
            told = {
                "SLACK_API_URL": f"http://127.0.0.1:{link.port}/api/",
                "SLACK_BOT_TOKEN": first.bot_token,
                "SLACK_APP_TOKEN": first.app.app_token,
                "SLACK_SIGNING_SECRET": first.app.signing_secret,
                "THREADLINE_INGRESS_HTTP": "true",
                "THREADLINE_INGRESS_HTTP_PORT": "0",
                "THREADLINE_SUPERVISOR_MODEL": "openai:gpt-5",  # without a key: what it reads is not understood
            }
            async with up(home.root, **told) as running:
                yield Live(sim, first, link, home, running)


@asynccontextmanager
async def watching(live: Live, folder: Path, divisor: int) -> AsyncIterator[Watched]:
    """With Prometheus beside it. The durations of the rules are divided."""
    async with prometheus(folder, live.home.targets_file, divisor) as asked:
        watched = Watched(live, asked)
        await until(watched.is_watched, PATIENCE_S)
        await live.describe()
        yield watched
