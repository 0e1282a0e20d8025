"""OAuth's page: somebody is asked whether an app may come into their workspace."""

from collections.abc import Callable
from urllib.parse import urlencode

from aiohttp import web

from services.kit.markup import Markup, el, together
from services.slack_sim.simulation import Simulation
from services.slack_sim.world.entities import App, User

PATH = "/oauth/v2/authorize"
Given = Callable[[str], str | None]
"""Reads a field of what was asked."""


class Wrong(Exception):
    """What is wrong with the address that an app sent somebody to."""


class Authorizing:
    """The page that asks, and what follows from the answer."""

    def __init__(self, slack: Simulation) -> None:
        self._slack = slack

    def routes(self) -> list[web.RouteDef]:
        """Where it is served."""
        return [web.get(PATH, self.ask), web.post(PATH, self.decide)]

    async def ask(self, request: web.Request) -> web.Response:
        """The page."""
        try:
            app, scopes, redirect = self._asked(request.query.get)
        except Wrong as wrong:
            return page("That did not work", el("p", str(wrong)), web.HTTPBadRequest.status_code)
        hidden = {
            "client_id": app.client_id,
            "scope": ",".join(scopes),
            "redirect_uri": request.query.get("redirect_uri", ""),
            "state": request.query.get("state", ""),
        }
        people = [
            el("option", f"{user.real_name} in {self._slack.world.workspaces[user.team_id].name}", value=user.id)
            for user in self.people(request.query.get("team"))
        ]
        return page(
            f"{app.name} wants to come into your workspace",
            el(
                "form",
                [el("input", type="hidden", name=name, value=value) for name, value in hidden.items()],
                el("label", "You are ", el("select", people, name="user_id")),
                el("p", "It wants to:"),
                el("ul", [el("li", el("code", scope)) for scope in scopes]),
                el("p", f"It goes on at {redirect}"),
                el("button", "Allow", name="answer", value="allow"),
                " ",
                el("button", "Cancel", name="answer", value="cancel"),
                method="post",
                action=PATH,
            ),
        )

    async def decide(self, request: web.Request) -> web.Response:
        """Sends whoever answered back to the app: with a code, or with the news that they said no."""
        form = await request.post()
        try:
            app, scopes, redirect = self._asked(lambda name: text(form.get(name)))
            user = self.user(text(form.get("user_id")))
        except Wrong as wrong:
            return page("That did not work", el("p", str(wrong)), web.HTTPBadRequest.status_code)
        state = text(form.get("state"))
        if form.get("answer") != "allow":
            return back(redirect, {"error": "access_denied", "state": state})
        code = self._slack.installing.allow(app, user, scopes, text(form.get("redirect_uri")) or None)
        return back(redirect, {"code": code, "state": state})

    def _asked(self, given: Given) -> tuple[App, list[str], str]:
        client_id = given("client_id") or ""
        app = next((each for each in self._slack.world.apps.values() if each.client_id == client_id), None)
        if app is None:
            raise Wrong("invalid_client_id: there is no app with that client_id.")
        scopes = [each for each in (given("scope") or "").replace(" ", ",").split(",") if each]
        if not scopes:
            raise Wrong("no_scopes: the app asks for nothing.")
        unknown = [each for each in scopes if each not in app.scopes]
        if unknown:
            raise Wrong(f"invalid_scope: the app is not set up for {', '.join(unknown)}.")
        wanted = given("redirect_uri") or ""
        if not wanted and app.redirect_urls:
            return app, scopes, app.redirect_urls[0]
        if not any(within(wanted, each) for each in app.redirect_urls):
            raise Wrong("bad_redirect_uri: redirect_uri did not match any configured URIs.")
        return app, scopes, wanted

    def people(self, team_id: str | None) -> list[User]:
        """Who somebody can be, those of a workspace first."""
        everybody = [user for user in self._slack.world.users.values() if user.bot_id is None]
        return sorted(everybody, key=lambda user: user.team_id != team_id)

    def user(self, user_id: str) -> User:
        """Who somebody is."""
        user = self._slack.world.users.get(user_id)
        if user is None or user.bot_id is not None:
            raise Wrong("user_not_found: choose who you are.")
        return user


def within(url: str, configured: str) -> bool:
    """Whether it is that address, or one below it."""
    return url == configured or url.startswith((f"{configured.rstrip('/')}/", f"{configured}?"))


def text(value: object) -> str:
    """A field of a form, where it is text."""
    return value if isinstance(value, str) else ""


def back(redirect: str, said: dict[str, str]) -> web.Response:
    """Sends a browser back to the app."""
    joined = "&" if "?" in redirect else "?"
    return web.Response(status=web.HTTPFound.status_code, headers={"Location": f"{redirect}{joined}{urlencode(said)}"})


def page(title: str, content: Markup, status: int = 200) -> web.Response:
    """A page with one thing on it."""
    head = together(
        el("meta", charset="utf-8"),
        el("title", title),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("link", rel="stylesheet", href="/static/page.css"),
    )
    whole = el("html", head, el("main", el("h1", title), content, class_="sheet"), lang="en")
    return web.Response(text=f"<!doctype html>{whole}", content_type="text/html", status=status)
