"""Serves the page: its document, its styles and scripts, what people do on it, and what the inspector shows."""

import json
import logging
from pathlib import Path

from aiohttp import web
from pydantic import ValidationError

from services.slack_sim.page.acting import SAID, Acting
from services.slack_sim.page.acts import ACTS
from services.slack_sim.page.inspector import MOST, details
from services.slack_sim.page.live import Live
from services.slack_sim.page.reading import Reading
from services.slack_sim.page.seen import seen_at
from services.slack_sim.page.shell import POLICY, empty, whole
from services.slack_sim.people.people import People
from services.slack_sim.refusal import Refusal
from services.slack_sim.simulation import Simulation
from services.slack_sim.telling.shapes import Json

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Page:
    """The page of one simulation."""

    def __init__(self, slack: Simulation, people: People) -> None:
        self._slack = slack
        self._reading = Reading(slack.world)
        self._acting = Acting(slack, people)
        self._live = Live(slack, self._reading)

    def routes(self) -> list[web.RouteDef]:
        """Where it is served."""
        return [
            web.get("/", self.show),
            web.get("/static/{name}", self.static),
            web.get("/page/live", self._live.serve),
            web.get("/page/records", self.records),
            web.post("/page/act", self.act),
        ]

    async def close(self, _: web.Application) -> None:
        """Lets go of every browser, so that the simulator can end."""
        await self._live.close()

    async def show(self, request: web.Request) -> web.Response:
        """The document."""
        seen = seen_at(self._slack, request.query)
        text = whole(seen, self._reading) if seen is not None else empty()
        return web.Response(text=text, content_type="text/html", headers=HEADERS)

    async def static(self, request: web.Request) -> web.StreamResponse:
        """A style or a script."""
        name = request.match_info["name"]
        if name not in {each.name for each in STATIC.iterdir()}:
            raise web.HTTPNotFound
        return web.FileResponse(
            STATIC / name, headers={"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        )

    async def records(self, request: web.Request) -> web.Response:
        """Calls and deliveries whole."""
        wanted = request.query.get("of", "").split(",")[:MOST]
        return web.Response(text=details(self._slack, wanted), content_type="application/json", headers=HEADERS)

    async def act(self, request: web.Request) -> web.Response:
        """Somebody does something."""
        try:
            act = ACTS.validate_json(await request.read())
        except ValidationError as error:
            wrong = error.errors()[0]
            return _refused(f"That was not understood: {'.'.join(map(str, wrong['loc']))} {wrong['msg']}", 400)
        try:
            return web.json_response(await self._acting.act(act))
        except Refusal as refusal:
            return _refused(SAID.get(refusal.error, f"That was refused: {refusal.error}."), 409)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            log.warning("what somebody did on the page could not be done: %s", repr(error))
            return _refused("That value cannot be taken.", 400)


def _refused(said: str, status: int) -> web.Response:
    answer: Json = {"error": said}
    return web.Response(text=json.dumps(answer), status=status, content_type="application/json")
