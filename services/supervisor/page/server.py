"""Serves the page."""

from pathlib import Path
from typing import Final

from aiohttp import web

from services.directory.faults import DatabaseAway
from services.kit.fresh_ids import FreshIds
from services.kit.markup import Markup, el
from services.supervisor.adapters.given import Given
from services.supervisor.adapters.news import News
from services.supervisor.adapters.overview import Overviews
from services.supervisor.adapters.queries import Queries
from services.supervisor.adapters.sessions import Sessions, sealer_of
from services.supervisor.adapters.slack_sign_in import SlackSignIn, app_of
from services.supervisor.decisions.commanding import NO_SUCH_TASK
from services.supervisor.decisions.looks import LOOKS
from services.supervisor.decisions.posts import header
from services.supervisor.page.acting import Acting, Told, Wanted
from services.supervisor.page.board import board
from services.supervisor.page.doors import Doors, html
from services.supervisor.page.live import Live
from services.supervisor.page.shell import document, sheet, told
from services.supervisor.page.story import Shown, story
from services.supervisor.page.viewer import Viewer

STATIC: Final = Path(__file__).parent / "static"
KINDS: Final = {"page.css": "text/css", "page.js": "text/javascript"}
TASK, APPROVAL = "{task_id:[A-Za-z0-9._:-]{1,100}}", "{approval_id:[A-Za-z0-9-]{1,64}}"
"""What names look like: nobody asks the database for anything else."""
MOST_OF_EACH, MOST_OF_FAMILY = 150, 60


class Page:
    """The page of one supervisor."""

    def __init__(self, given: Given, queries: Queries, news: News, ids: FreshIds) -> None:
        clock = given.instruments.clock
        sealer, app = sealer_of(given.settings), app_of(given.settings)
        slack = SlackSignIn(app, sealer, clock, ids) if app is not None else None
        self._queries, self._overviews = queries, Overviews(given.database, clock)
        self._doors = Doors(given.settings, given.directory, Sessions(sealer, clock), slack, clock)
        self._acting = Acting(given, queries, news, ids)
        self._live = Live(news)

    def routes(self) -> list[web.RouteDef]:
        """Where it is served."""
        seen = self._doors.seen
        return [
            web.get("/", seen(self._board)),
            web.get(f"/show/{TASK}", seen(self._story)),
            web.post(f"/approvals/{APPROVAL}", seen(self._answer, acts=True)),
            web.post(f"/show/{TASK}/cancel", seen(self._cancel, acts=True)),
            web.get("/live", seen(self._listen)),
            web.get("/static/{name}", self._static),
            *self._doors.routes(),
        ]

    async def close(self, application: web.Application) -> None:
        """Lets go of every open page."""
        await self._live.close(application)

    async def _board(self, _: web.Request, viewer: Viewer) -> web.Response:
        return await self._drawn_board(viewer, None, web.HTTPOk.status_code)

    async def _story(self, request: web.Request, viewer: Viewer) -> web.Response:
        return await self._drawn_story(viewer, request.match_info["task_id"], None, web.HTTPOk.status_code)

    async def _answer(self, request: web.Request, viewer: Viewer) -> web.Response:
        form = await request.post()
        said = {name: value for name, value in form.items() if isinstance(value, str)}
        wanted = Wanted(
            request.match_info["approval_id"], said.get("hash", ""), said.get("answer", ""), said.get("reason")
        )
        became = await self._acting.answer(viewer, wanted)
        return await self._told(viewer, became, became.task_id if said.get("back") else None)

    async def _cancel(self, request: web.Request, viewer: Viewer) -> web.Response:
        became = await self._acting.cancel(viewer, request.match_info["task_id"])
        return await self._told(viewer, became, became.task_id)

    async def _told(self, viewer: Viewer, became: Told, back: str | None) -> web.Response:
        """The page where it was done, with what became of it."""
        note = told(became.text, is_good=became.is_good)
        if back is not None:
            return await self._drawn_story(viewer, back, note, became.status)
        return await self._drawn_board(viewer, note, became.status)

    async def _drawn_board(self, viewer: Viewer, note: Markup | None, status: int) -> web.Response:
        seen = await self._overviews.of(viewer.tenant_id)
        return html(document(viewer, "Agents", board(viewer, seen), note), status)

    async def _drawn_story(self, viewer: Viewer, task_id: str, note: Markup | None, status: int) -> web.Response:
        found = await self._queries.story(viewer.tenant_id, task_id, MOST_OF_EACH)
        if found is None:
            words = el("p", NO_SUCH_TASK.partition(".")[0], ".")
            back = el("p", el("a", "All tasks", href="/", class_="button"))
            return html(sheet("There is no such task", words, back), web.HTTPNotFound.status_code)
        heard_at = await self._overviews.heard_at(viewer.tenant_id, task_id)
        family = await self._queries.family(viewer.tenant_id, task_id, MOST_OF_FAMILY)
        inside = story(viewer, Shown(found, heard_at, family))
        return html(document(viewer, header(found.task), inside, note), status)

    async def _listen(self, request: web.Request, viewer: Viewer) -> web.StreamResponse:
        async def still_there() -> bool:
            try:
                return await self._doors.viewer(request) is not None
            except (DatabaseAway, TimeoutError):  # whether it ended cannot be told, and nothing is said of any task
                return True

        return await self._live.serve(request, viewer, still_there)

    async def _static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in KINDS:
            raise web.HTTPNotFound
        text = (STATIC / name).read_text("utf-8")
        if name == "page.css":
            text += "".join(f'[data-status="{status}"]{{--look:{look.color}}}\n' for status, look in LOOKS.items())
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return web.Response(text=text, content_type=KINDS[name], headers=headers)
