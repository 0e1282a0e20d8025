"""A Slack that refuses, is slow, forgets, breaks off, takes a token away, and loses its sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.beds.router import describe
from bench.chaos.faults.kind import FaultKind, Struck
from bench.chaos.stage import SECRETS
from services.slack_sim.control import asks

STREAMS_S = 300.0


@asynccontextmanager
async def _calls_fail(struck: Struck) -> AsyncIterator[None]:
    """As `FailCalls` is told."""
    await struck.stage.sim.ask(asks.FailCalls.model_validate(struck.scenario.fault.told))
    yield
    await struck.stage.sim.ask(asks.ClearFaults())


@asynccontextmanager
async def _streams_expire(struck: Struck) -> AsyncIterator[None]:
    """Slack ends what is streamed, in the middle."""
    lives_s = struck.scenario.fault.told["after_s"]
    await struck.stage.sim.ask(asks.SetStreamLives(idle_s=lives_s, whole_s=lives_s))
    yield
    await struck.stage.sim.ask(asks.SetStreamLives(idle_s=STREAMS_S, whole_s=STREAMS_S))


@asynccontextmanager
async def _token_revoked(struck: Struck) -> AsyncIterator[None]:
    """One workspace's token is good for nothing; then the app is let in anew, its token put in place, and described."""
    stage = struck.stage
    app, one = stage.workspaces.app, stage.workspaces.every[0]
    await stage.sim.ask(asks.RevokeToken(app_id=app, team_id=one.team))
    yield
    installed = await stage.sim.ask(asks.InstallApp(app_id=app, team_id=one.team, channels=list(one.channels)))
    stage.workspaces.token_file(stage.folder / SECRETS, one.number).write_text(installed.bot_token, "utf-8")
    await describe(stage.ground.database.settings, stage.document)


@asynccontextmanager
async def _sockets_drop(struck: Struck) -> AsyncIterator[None]:
    """All at once, and none may be opened for as long as it lasts."""
    await struck.stage.sim.ask(asks.RefuseSockets(seconds=struck.scenario.fault.lasts_s))
    await struck.stage.sim.ask(asks.DropSockets())
    yield


@asynccontextmanager
async def _refresh(struck: Struck) -> AsyncIterator[None]:
    """Slack wants every socket to be opened anew, one after the other."""
    for _ in range(2):
        await struck.stage.sim.ask(asks.DisconnectSockets(reason="refresh_requested", lead_s=1.0, count=1))
        await asyncio.sleep(2)
    yield


@asynccontextmanager
async def _black_hole(struck: Struck) -> AsyncIterator[None]:
    """Nothing passes, and connections stay open."""
    await struck.stage.sim.ask(asks.Blackhole(seconds=struck.scenario.fault.lasts_s))
    yield


@asynccontextmanager
async def _links_in_trouble(struck: Struck) -> AsyncIterator[None]:
    """As `TroubleLinks` is told."""
    await struck.stage.sim.ask(asks.TroubleLinks.model_validate(struck.scenario.fault.told))
    yield
    await struck.stage.sim.ask(asks.ClearFaults())


KINDS = {
    "calls_fail": FaultKind(_calls_fail),
    "streams_expire": FaultKind(_streams_expire),
    "token_revoked": FaultKind(_token_revoked),
    "sockets_drop": FaultKind(_sockets_drop),
    "sockets_refresh": FaultKind(_refresh),
    "black_hole": FaultKind(_black_hole),
    "sockets_in_trouble": FaultKind(_links_in_trouble),
}
