"""The simulator as a process: its servers in front of one simulation."""

import ipaddress
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from services.kit.clock import Clock, SystemClock
from services.kit.fault import Fault
from services.kit.http import Served, is_loopback, served
from services.slack_sim.authorizing import Authorizing
from services.slack_sim.control.server import ControlServer
from services.slack_sim.page.server import Page
from services.slack_sim.people.people import People
from services.slack_sim.people.server import PostBack
from services.slack_sim.settings import SlackSimSettings
from services.slack_sim.signing_in import SigningIn
from services.slack_sim.simulation import Simulation, simulation
from services.slack_sim.web_api.server import WebApi

LARGEST_BODY = 16 * 1024**2
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - what it is bound to only where that was asked for
OPEN_TO_BROWSERS = ("/api/", "/oauth/", "/openid/", "/static/")
"""Paths where a request from another page in a browser does no harm: these ask for a token, or for a click."""


class NotHere(Fault):
    """The address is open to others."""


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
        public = settings.slack_sim_public_url
        own = [_name_in(public.partition("//")[2])] if public else []
        application = _application(slack, own, only_here=is_loopback(host))
        async with served(application, host, settings.slack_sim_port, setting="THREADLINE_SLACK_SIM_PORT") as address:
            here = Served("127.0.0.1", address.port) if host in EVERYWHERE else address
            slack.listen_at(public or str(here))
            try:
                yield slack
            finally:
                slack.sockets.forget_all()


def _application(slack: Simulation, own: Sequence[str], *, only_here: bool) -> web.Application:
    people = People(slack)
    application = web.Application(client_max_size=LARGEST_BODY, middlewares=[_only_own_pages(own, only_here=only_here)])
    application.router.add_get("/link/", slack.sockets.serve)
    page = Page(slack, people)
    application.on_shutdown.append(page.close)
    for part in (
        WebApi(slack),
        PostBack(slack),
        Authorizing(slack),
        SigningIn(slack),
        ControlServer(slack, people),
        page,
    ):
        application.router.add_routes(part.routes())
    return application


def _only_own_pages(own: Sequence[str], *, only_here: bool) -> Middleware:
    """Keeps other pages that are open in a browser on this machine from acting here, under whatever name they come."""

    @web.middleware
    async def look(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        foreign = origin is not None and origin.partition("//")[2] != request.host
        named = _name_in(request.host)
        ours = named in own or is_loopback(named) or (not only_here and ("." not in named or _is_address(named)))
        if not ours:
            return _forbidden(f"this is not {named}; THREADLINE_SLACK_SIM_PUBLIC_URL tells it that it is")
        if foreign and not request.path.startswith(OPEN_TO_BROWSERS):
            return _forbidden("another page may not do this here")
        return await handler(request)

    return look


def _forbidden(why: str) -> web.Response:
    return web.Response(status=web.HTTPForbidden.status_code, text=why)


def _name_in(host: str) -> str:
    """The name in an address, without its port; nothing where it is no address."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
