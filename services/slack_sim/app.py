"""The simulator as a process: its servers in front of one simulation."""

import ipaddress
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from services.kit.clock import Clock, SystemClock
from services.kit.fault import Fault
from services.kit.http import served
from services.slack_sim.authorizing import Authorizing
from services.slack_sim.control.server import ControlServer
from services.slack_sim.people.people import People
from services.slack_sim.people.server import PostBack
from services.slack_sim.settings import SlackSimSettings
from services.slack_sim.simulation import Simulation, simulation
from services.slack_sim.web_api.server import WebApi

LARGEST_BODY = 16 * 1024**2
OPEN_TO_BROWSERS = ("/api/", "/oauth/", "/static/")
"""Paths where a request from another page in a browser does no harm: these ask for a token, or for a click."""


class NotHere(Fault):
    """The address is open to others."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@asynccontextmanager
async def slack_sim(
    settings: SlackSimSettings, *, anywhere: bool = False, clock: Clock | None = None
) -> AsyncIterator[Simulation]:
    """A simulator that listens."""
    host = settings.slack_sim_host
    if not is_loopback(host) and not anywhere:
        raise NotHere(
            f"{host} can be reached from other machines, and whoever reaches the simulator can do anything in it; "
            "say --anywhere if that is what you want"
        )
    fixed = settings.slack_sim_seed is not None
    seed = settings.slack_sim_seed or secrets.token_hex(8)
    async with simulation(
        clock or SystemClock(), seed, fixed=fixed, state=settings.slack_sim_state, kept=settings.slack_sim_kept
    ) as slack:
        application = _application(slack, only_here=is_loopback(host))
        async with served(application, host, settings.slack_sim_port, setting="THREADLINE_SLACK_SIM_PORT") as address:
            slack.listen_at(settings.slack_sim_public_url or str(address))
            yield slack


def _application(slack: Simulation, *, only_here: bool) -> web.Application:
    people = People(slack)
    application = web.Application(client_max_size=LARGEST_BODY, middlewares=[_only_own_pages(only_here=only_here)])
    application.router.add_get("/link/", slack.sockets.serve)
    for part in (WebApi(slack), PostBack(slack), Authorizing(slack), ControlServer(slack, people)):
        application.router.add_routes(part.routes())
    return application


def _only_own_pages(*, only_here: bool) -> Middleware:
    """Keeps other pages that are open in a browser on this machine from acting here."""

    @web.middleware
    async def look(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        foreign = origin is not None and urlsplit(origin).netloc != request.host
        named = urlsplit(f"//{request.host}").hostname or ""
        if (foreign and not request.path.startswith(OPEN_TO_BROWSERS)) or (only_here and not is_loopback(named)):
            return web.Response(status=web.HTTPForbidden.status_code, text="another page may not do this here")
        return await handler(request)

    return look
