"""Serves the control API: POST /_sim/OPERATION with a JSON object."""

import inspect
import logging

from aiohttp import web
from pydantic import ValidationError

from services.slack_sim.control.acting import Acting
from services.slack_sim.control.bending import Bending
from services.slack_sim.control.looking import Looking
from services.slack_sim.control.operation import Operations
from services.slack_sim.control.setting_up import SettingUp
from services.slack_sim.people.people import People
from services.slack_sim.refusal import Refusal
from services.slack_sim.simulation import Simulation

log = logging.getLogger(__name__)


class ControlServer:
    """The control API over HTTP."""

    def __init__(self, slack: Simulation, people: People) -> None:
        operations: Operations = {}
        for part in (SettingUp, Acting, Looking, Bending):
            operations |= part(slack, people).operations()
        self._operations = {asked.operation(): (asked, run) for asked, run in operations.items()}

    def routes(self) -> list[web.RouteDef]:
        """Where it is served."""
        return [web.get("/_sim/", self.describe), web.post("/_sim/{operation}", self.run)]

    async def describe(self, _: web.Request) -> web.Response:
        """What there is to ask for."""
        described = {
            name: {"takes": asked.model_json_schema(), "gives": asked.gives().model_json_schema()}
            for name, (asked, _) in self._operations.items()
        }
        return web.json_response(described)

    async def run(self, request: web.Request) -> web.Response:
        """Runs one operation."""
        name = request.match_info["operation"]
        if name not in self._operations:
            return _refused(web.HTTPNotFound.status_code, "unknown_operation", f"there is no operation {name}")
        kind, answer = self._operations[name]
        try:
            asked = kind.model_validate_json(await request.read() or b"{}")
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
            return _refused(web.HTTPBadRequest.status_code, "invalid_arguments", "; ".join(problems))
        try:
            given = answer(asked)
            if inspect.isawaitable(given):
                given = await given
        except Refusal as refusal:
            return _refused(web.HTTPConflict.status_code, refusal.error, f"{name} was refused: {refusal.error}")
        return web.Response(text=given.model_dump_json(), content_type="application/json")


def _refused(status: int, error: str, message: str) -> web.Response:
    return web.json_response({"error": error, "message": message}, status=status)
