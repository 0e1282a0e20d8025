"""The small server that every process has: `/health` and `/metrics`."""

import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from aiohttp import web
from typing_extensions import override

from services.kit.fault import Fault
from services.kit.health import Health
from services.kit.telemetry.metrics import CONTENT_TYPE, Metrics

UNAVAILABLE = 503

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SHUTDOWN_S = 5.0


class CannotListen(Fault):
    """The address is taken or not ours."""


@dataclass(frozen=True)
class Served:
    """Where a server listens."""

    host: str
    port: int

    @override
    def __str__(self) -> str:
        return f"http://{self.host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def health_page(health: Health, *, reasons: bool = True) -> Handler:
    """Whether the process is ready for its work and, where only operators look, why not."""

    async def show_health(_: web.Request) -> web.Response:
        report = health.report()
        shown = asdict(report) if reasons else {"live": report.live, "ready": report.ready}
        return web.json_response(shown, status=web.HTTPOk.status_code if report.ready else UNAVAILABLE)

    return show_health


def operations(health: Health, metrics: Metrics) -> web.Application:
    """An application with the two pages that operators and Prometheus read. They need no sign-in."""

    async def show_life(_: web.Request) -> web.Response:
        report = health.report()
        return web.json_response({"live": report.live}, status=web.HTTPOk.status_code if report.live else UNAVAILABLE)

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    application = web.Application()
    application.router.add_get("/health", health_page(health))
    application.router.add_get("/health/live", show_life)
    application.router.add_get("/metrics", show_metrics)
    return application


@asynccontextmanager
async def served(
    application: web.Application, host: str, port: int, *, setting: str = "THREADLINE_HTTP_PORT"
) -> AsyncIterator[Served]:
    """Listens within it. Port 0 takes a free one; `setting` is where the port came from."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise CannotListen(
                f"cannot listen on {host}:{port}: {error.strerror}; set {setting} to a free port, or to 0"
            ) from error
        yield Served(host, runner.addresses[0][1])
    finally:
        await runner.cleanup()
