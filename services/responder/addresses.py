"""What is opened where programs may call: the endpoint for messages, and what it must know to answer."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from services.directory.lookup import Directory
from services.kit.http import health_page, served
from services.kit.kafka.producer import Producer
from services.kit.process import Process
from services.kit.telemetry.instruments import Instruments
from services.responder.adapters.gateway import LARGEST_BODY, Gateway, GatewayTools
from services.responder.adapters.messages import Messages
from services.responder.settings import ResponderSettings

log = logging.getLogger(__name__)


@asynccontextmanager
async def opened_addresses(
    settings: ResponderSettings, running: Process, known: Directory, producer: Producer, instruments: Instruments
) -> AsyncIterator[Messages]:
    """Serves within it. What comes must be told to follow the topics: until it has caught up, programs must wait."""
    messages = Messages(settings, running.clock)
    running.health.ready["messages"] = messages.trouble
    application = web.Application(client_max_size=LARGEST_BODY)
    application.router.add_get("/health", health_page(running.health, reasons=False))
    application.router.add_routes(Gateway(known, producer, messages, GatewayTools(running.ids, instruments)).routes())
    host, port = settings.responder_http_host, settings.responder_http_port
    async with served(application, host, port, setting="THREADLINE_RESPONDER_HTTP_PORT") as address:
        paths = sorted({route.resource.canonical for route in application.router.routes() if route.resource})
        log.info("the responder takes calls at %s: %s", address, ", ".join(paths))
        yield messages
