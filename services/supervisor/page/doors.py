"""Who comes to the page: signs people in, knows them again, and refuses what did not come from a page of ours."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from aiohttp import web

from services.directory.faults import DatabaseAway
from services.directory.holding import Known
from services.directory.lookup import Directory
from services.kit.clock import Clock
from services.kit.http import is_loopback
from services.kit.markup import Child, el
from services.supervisor.adapters.codes import Codes
from services.supervisor.adapters.sessions import LASTS, Session, Sessions, form_token, is_form_token
from services.supervisor.adapters.slack_sign_in import GOOD_FOR, REDIRECT, NotSignedIn, SlackSignIn
from services.supervisor.decisions.people import LOCAL
from services.supervisor.page.shell import HEADERS, sheet
from services.supervisor.page.viewer import Viewer
from services.supervisor.settings import SupervisorSettings

SESSION, BROWSER = "threadline_page", "threadline_signing_in"
FORM: Final = "application/x-www-form-urlencoded"
KNOWN_WITHIN_S: Final = 3.0
AWAY: Final = "Tasks cannot be looked up for now: the database does not answer. Nothing is lost; load this page again."
NOT_OURS: Final = "This did not come from a page of your own session, and nothing was done. Load the page again."

Answer: TypeAlias = Callable[[web.Request, Viewer], Awaitable[web.StreamResponse]]
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Doors:
    """Signing in and out, and who is in."""

    def __init__(
        self,
        settings: SupervisorSettings,
        directory: Directory,
        sessions: Sessions,
        slack: SlackSignIn | None,
        clock: Clock,
    ) -> None:
        self._directory, self._sessions, self._slack, self._clock = directory, sessions, slack, clock
        self._codes = Codes(settings.state_folder, clock)
        self._is_here = is_loopback(settings.supervisor_http_host)
        self._public = urlsplit(settings.supervisor_public_url or "")

    def routes(self) -> list[web.RouteDef]:
        """The ways in and out."""
        return [
            web.get("/in", self._in_by_code),
            web.get(f"{REDIRECT}/begin", self._to_slack),
            web.get(REDIRECT, self._from_slack),
            web.post("/out", self.seen(self._out, acts=True)),
        ]

    def seen(self, answer: Answer, *, acts: bool = False) -> Handler:
        """What only somebody who is signed in sees; and, where it acts, only from a page of theirs."""

        async def handler(request: web.Request) -> web.StreamResponse:
            try:
                viewer = await self.viewer(request)
                if viewer is None:
                    return self._sign_in_page(request)
                if acts and not await self._is_ours(request):
                    return html(sheet("Nothing was done", el("p", NOT_OURS)), web.HTTPForbidden.status_code)
                return await answer(request, viewer)
            except (DatabaseAway, TimeoutError):
                return html(
                    sheet("For now there is nothing to see", el("p", AWAY)), web.HTTPServiceUnavailable.status_code
                )

        return handler

    async def viewer(self, request: web.Request) -> Viewer | None:
        """Who is signed in, and may still see what they saw."""
        cookie = request.cookies.get(SESSION, "")
        session = self._sessions.read(cookie) if cookie else None
        if session is None or (session.user == LOCAL and not self._is_on_this_machine(request)):
            return None
        tenant = await self._tenant_of(session)
        return Viewer(session, tenant, form_token(cookie), self._clock.now()) if tenant is not None else None

    async def _tenant_of(self, session: Session) -> Known | None:
        async with asyncio.timeout(KNOWN_WITHIN_S):
            if session.tenant_id is not None:
                found = await self._directory.tenant(session.tenant_id)
                return found if isinstance(found, Known) else None
            for workspace in session.workspaces:
                owner = await self._directory.owner(workspace)
                if isinstance(owner, Known):
                    return owner
        return None

    async def _is_ours(self, request: web.Request) -> bool:
        """Another page's form has no token of this session, and a browser says where it comes from."""
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            return False
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc not in {request.host, self._public.netloc} - {""}:
            return False
        if request.content_type != FORM or (request.charset or "utf-8").lower() != "utf-8":
            return False
        try:
            given = (await request.post()).get("token")
        except UnicodeDecodeError:
            return False
        return isinstance(given, str) and is_form_token(given, request.cookies.get(SESSION, ""))

    async def _in_by_code(self, request: web.Request) -> web.StreamResponse:
        code = request.query.get("code", "")
        tenant_id = self._codes.take(code) if code and self._is_on_this_machine(request) else None
        if tenant_id is None:
            said = "This way in is good for a minute, once, and on the supervisor's own machine. Make another:"
            return html(
                sheet("Not signed in", el("p", said), el("pre", "threadline supervisor open")),
                web.HTTPForbidden.status_code,
            )
        until = self._clock.now() + LASTS
        return await self._welcome(request, Session(user=LOCAL, name="this machine", tenant_id=tenant_id, until=until))

    async def _to_slack(self, request: web.Request) -> web.StreamResponse:
        if self._slack is None:
            raise web.HTTPNotFound
        browser = secrets.token_urlsafe(24)
        response = web.Response(
            status=web.HTTPFound.status_code, headers={**HEADERS, "Location": self._slack.begin(browser)}
        )
        # Slack sends the browser back from another site, and a strict cookie would stay behind.
        response.set_cookie(
            BROWSER, browser, max_age=int(GOOD_FOR.total_seconds()), path=REDIRECT, httponly=True, samesite="Lax",
            secure=self._is_secure(request),
        )  # fmt: skip
        return response

    async def _from_slack(self, request: web.Request) -> web.StreamResponse:
        if self._slack is None:
            raise web.HTTPNotFound
        again = el("p", el("a", "Sign in with Slack", href=f"{REDIRECT}/begin", class_="button primary"))
        try:
            given = (request.query.get(each, "") for each in ("state", "code"))
            person = await self._slack.end(request.cookies.get(BROWSER, ""), *given)
        except NotSignedIn as why:
            return html(sheet("Not signed in", el("p", str(why)), again), web.HTTPForbidden.status_code)
        until = self._clock.now() + LASTS
        session = Session(user=person.user, name=person.name, workspaces=person.workspaces, until=until)
        return await self._welcome(request, session)

    async def _welcome(self, request: web.Request, session: Session) -> web.StreamResponse:
        """The next page is asked for by one of ours: a strict cookie goes only with that."""
        try:
            tenant = await self._tenant_of(session)
        except (DatabaseAway, TimeoutError):
            return html(sheet("Not signed in", el("p", AWAY)), web.HTTPServiceUnavailable.status_code)
        if tenant is None:
            named = session.tenant_id or ", ".join(session.workspaces)
            said = (
                f"{named} belongs to nobody here, so there is nothing to see. Whoever runs this Threadline can add it."
            )
            return html(sheet("Nothing to see here", el("p", said)), web.HTTPForbidden.status_code)
        go = el("p", el("a", "Go on", href="/", class_="button primary"))
        response = html(
            sheet("Signed in", el("p", f"You see the tasks of {tenant.facts.name or tenant.tenant_id}."), go, to="/")
        )
        response.set_cookie(
            SESSION, self._sessions.made(session), max_age=int(LASTS.total_seconds()), path="/", httponly=True,
            samesite="Strict", secure=self._is_secure(request, session),
        )  # fmt: skip
        response.del_cookie(BROWSER, path=REDIRECT)
        return response

    async def _out(self, _: web.Request, __: Viewer) -> web.StreamResponse:
        response = html(sheet("Signed out", el("p", el("a", "Sign in again", href="/", class_="button"))))
        response.del_cookie(SESSION, path="/")
        return response

    def _sign_in_page(self, request: web.Request) -> web.Response:
        ways: list[Child] = []
        if self._slack is not None:
            ways.append(el("p", el("a", "Sign in with Slack", href=f"{REDIRECT}/begin", class_="button primary")))
        if self._is_on_this_machine(request):
            ways.append(el("p", "On this machine, this command opens the page and signs you in:"))
            ways.append(el("pre", "threadline supervisor open --browser", tabindex="0"))
        if not ways:
            ways.append(
                el(
                    "p",
                    "Sign in with Slack is not set up here: THREADLINE_SUPERVISOR_PUBLIC_URL says where this page is.",
                )
            )
        words = el("p", "What supervised agents do, what waits for a person, and what it costs.")
        return html(sheet("Supervised agents", words, ways), web.HTTPUnauthorized.status_code)

    def _is_on_this_machine(self, request: web.Request) -> bool:
        """Whether it listens to this machine alone, and was called by a name of this machine's."""
        return self._is_here and is_loopback(urlsplit(f"//{request.host}").hostname or "")

    def _is_secure(self, request: web.Request, session: Session | None = None) -> bool:
        """Whether TLS stands before it: Slack sends people to the public address, whatever a proxy calls it."""
        is_local = session is not None and session.user == LOCAL
        return self._public.scheme == "https" and (not is_local or request.host == self._public.netloc)


def html(text: str, status: int = 200) -> web.Response:
    """A document."""
    return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)
