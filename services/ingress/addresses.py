"""What is opened where there is a directory, or an address to be called at: HTTP for Slack, OAuth, gateway runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from services.directory.installations import Installations
from services.directory.lookup import Directory, Surroundings, directory
from services.ingress.adapters.closing import Closing
from services.ingress.adapters.door import Door
from services.ingress.adapters.gateway import Gateway, GatewayTools
from services.ingress.adapters.http import LARGEST_BODY, SlackHttp
from services.ingress.adapters.oauth import INSTALL, REDIRECT, OAuth, OAuthApp, States, Store
from services.ingress.adapters.runs import Runs
from services.ingress.settings import IngressSettings
from services.kit.fault import Fault
from services.kit.http import health_page, served
from services.kit.secrets.sealing import Sealer
from services.kit.secrets.source import Secrets

if TYPE_CHECKING:
    from services.ingress.app import Ingress

log = logging.getLogger(__name__)

SNAPSHOT = "ingress-directory.json"


class NothingToServe(Fault):
    """HTTP is on, and nobody could be answered."""


@asynccontextmanager
async def opened_addresses(ingress: "Ingress", doors: Sequence[Door]) -> AsyncIterator[None]:
    """Opens what the settings ask for."""
    settings = ingress.settings
    async with AsyncExitStack() as stack:
        known = None
        if settings.database_url is not None:
            surroundings = Surroundings(
                ingress.process.clock, ingress.process.emitter, settings.state_folder / SNAPSHOT
            )
            known = await stack.enter_async_context(directory(settings, surroundings))
        installations = _installations(known, settings) if known else None
        if known is not None and installations is not None:
            closing = Closing(known, installations, ingress.client)
            stack.push_async_callback(closing.finish)
            ingress.receiver.close_installation = closing.close
        if settings.ingress_http:
            _refuse_unnamed(doors)
            application = web.Application(client_max_size=LARGEST_BODY)
            application.router.add_get("/health", health_page(ingress.process.health, reasons=False))
            application.router.add_routes(_slack(ingress, doors))
            if known is not None and installations is not None:
                application.router.add_routes(_install(ingress, known, installations))
                application.router.add_routes(await _gateway(ingress, known, stack))
            _refuse_nothing(settings, doors)
            address = await stack.enter_async_context(
                served(
                    application,
                    settings.ingress_http_host,
                    settings.ingress_http_port,
                    setting="THREADLINE_INGRESS_HTTP_PORT",
                )
            )
            paths = sorted({route.resource.canonical for route in application.router.routes() if route.resource})
            log.info("ingress takes calls at %s: %s", address, ", ".join(paths))
        yield


def _installations(known: Directory, settings: IngressSettings) -> Installations:
    sealer = Sealer.of(settings) if settings.sealing_keys is not None else None
    return Installations(known.database, Secrets(settings), sealer)


def _slack(ingress: "Ingress", doors: Sequence[Door]) -> list[web.RouteDef]:
    signed = [door for door in doors if door.has_address]
    return SlackHttp(signed, ingress.instruments).routes() if signed else []


def _install(ingress: "Ingress", known: Directory, installations: Installations) -> list[web.RouteDef]:
    settings = ingress.settings
    missing = [
        name
        for name, value in (
            ("SLACK_CLIENT_ID", settings.slack_client_id),
            ("SLACK_CLIENT_SECRET", settings.slack_client_secret),
            ("THREADLINE_SEALING_KEYS", settings.sealing_keys),
        )
        if value is None
    ]
    if missing or settings.slack_client_id is None or settings.slack_client_secret is None:
        log.info("the app cannot be installed through OAuth: %s is not set", ", ".join(missing))
        return []
    public = settings.ingress_public_url
    app = OAuthApp(
        client_id=settings.slack_client_id,
        client_secret=settings.slack_client_secret,
        authorize_url=authorize_url(settings.slack_api_url),
        redirect_uri=f"{public.rstrip('/')}{REDIRECT}" if public else None,
    )
    clock = ingress.process.clock
    states = States(Sealer.of(settings), clock, ingress.process.ids)
    log.info("the app is installed through OAuth at %s%s", public.rstrip("/") if public else "", INSTALL)
    return OAuth(app, ingress.client, Store(known, installations), states).routes()


def authorize_url(api_url: str) -> str:
    """Where Slack asks people for their consent: beside its Web API."""
    parts = urlsplit(api_url)
    return f"{parts.scheme}://{parts.netloc}/oauth/v2/authorize"


async def _gateway(ingress: "Ingress", known: Directory, stack: AsyncExitStack) -> list[web.RouteDef]:
    runs = Runs(ingress.settings, ingress.process.clock)
    following = asyncio.create_task(runs.follow())
    following.add_done_callback(ingress.ended)

    async def ended() -> None:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    stack.push_async_callback(ended)
    tools = GatewayTools(ingress.process.ids, ingress.instruments)
    return Gateway(ingress.name, known, ingress.intakes, runs, tools).routes()


def _refuse_unnamed(doors: Sequence[Door]) -> None:
    """Of several apps each must be known by its id: a signature proves an app, and no other."""
    signed = [door for door in doors if door.has_address]
    unnamed = [door.app.label for door in signed if door.app.app_id is None]
    if len(signed) > 1 and unnamed:
        raise NothingToServe(
            f"of several apps that Slack may call, each must be named: say which one {', '.join(unnamed)} is in "
            "THREADLINE_INGRESS_APPS (A0123=files:acme), or set SLACK_APP_ID. Nothing was opened"
        )


def _refuse_nothing(settings: IngressSettings, doors: Sequence[Door]) -> None:
    if settings.database_url is not None or any(door.has_address for door in doors):
        return
    raise NothingToServe(
        "THREADLINE_INGRESS_HTTP is on, and there is neither a signing secret (SLACK_SIGNING_SECRET), by which Slack's "
        "requests are known, nor a directory (DATABASE_URL), by which programs sign in. Nothing was opened"
    )
