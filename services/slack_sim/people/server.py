"""Takes what apps post to response URLs and upload addresses."""

import logging
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from services.slack_sim.people.response_urls import PATH
from services.slack_sim.refusal import Refusal
from services.slack_sim.simulation import Simulation
from services.slack_sim.web_api.methods.files import UPLOAD_PATH
from services.slack_sim.wire import parsed_json

GONE = {"used_url", "expired_url", "no_service", "channel_not_found"}

log = logging.getLogger(__name__)


class PostBack:
    """The addresses that apps are given to answer at."""

    def __init__(self, slack: Simulation) -> None:
        self._slack = slack

    def routes(self) -> list[web.RouteDef]:
        """Where they are served."""
        return [
            web.post(f"{PATH}/{{path:.*}}", self.respond),
            web.post(f"{UPLOAD_PATH}/{{file}}/{{secret}}", self.upload),
        ]

    async def respond(self, request: web.Request) -> web.Response:
        """An answer at a response URL."""
        await self._slack.link_faults.passable()
        record = self._slack.calls.begin("response_url", self._slack.moments.now())
        error: str | None = None
        try:
            record.arguments = _said(await request.read())
            self._slack.response_urls.answer(f"/{request.match_info['path']}", record.arguments)
        except Refusal as refusal:
            error = refusal.error
        except Exception:
            log.exception("an answer at a response URL could not be taken")
            error = "invalid_payload"
        record.error, record.status = error, web.HTTPOk.status_code
        record.answer = {"ok": error is None} | ({"error": error} if error else {})
        if error is not None:
            record.status = (web.HTTPNotFound if error in GONE else web.HTTPBadRequest).status_code
        self._slack.calls.end(record)
        if error in {"used_url", "expired_url"}:
            return web.json_response(record.answer, status=record.status)
        return web.Response(text=error or "ok", status=record.status)

    async def upload(self, request: web.Request) -> web.Response:
        """A file's content: it is counted, and not kept."""
        file = self._slack.world.files.get(request.match_info["file"])
        if file is None or file.upload_secret != request.match_info["secret"]:
            return web.Response(status=web.HTTPNotFound.status_code, text="there is no such upload")
        size = 0
        async for part in request.content.iter_any():
            size += len(part)
        file.size, file.uploaded = size, True
        self._slack.world.keep(file)
        return web.Response(text=f"OK - {size}")


def _said(body: bytes) -> dict[str, Any]:
    """What was said, as JSON or in a form's `payload`."""
    try:
        text = body.decode()
        if text.startswith("payload="):
            text = parse_qs(text)["payload"][0]
        parsed = parsed_json(text)
    except (ValueError, KeyError) as error:
        raise Refusal("invalid_payload") from error
    if not isinstance(parsed, dict):
        raise Refusal("invalid_payload")
    return parsed
