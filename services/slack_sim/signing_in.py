"""Sign in with Slack's page: somebody is asked who they are, and whether an app may know."""

from aiohttp import web

from services.kit.markup import el
from services.slack_sim.authorizing import Authorizing, Given, Wrong, back, page, text, within
from services.slack_sim.openid import SCOPES, Consent
from services.slack_sim.simulation import Simulation
from services.slack_sim.world.entities import App

PATH, KEYS = "/openid/connect/authorize", "/openid/connect/keys"
CARRIED = ("response_type", "client_id", "scope", "redirect_uri", "state", "nonce")


class SigningIn:
    """The page that asks, and what follows from the answer."""

    def __init__(self, slack: Simulation) -> None:
        self._slack, self._everybody = slack, Authorizing(slack)

    def routes(self) -> list[web.RouteDef]:
        """Where it is served."""
        return [web.get(PATH, self.ask), web.post(PATH, self.decide), web.get(KEYS, self.keys)]

    async def keys(self, _: web.Request) -> web.Response:
        """What id tokens are checked with."""
        return web.json_response(self._slack.openid.keys())

    async def ask(self, request: web.Request) -> web.Response:
        """The page."""
        try:
            app, scopes, redirect = self._asked(request.query.get)
        except Wrong as wrong:
            return page("That did not work", el("p", str(wrong)), web.HTTPBadRequest.status_code)
        people = [
            el("option", f"{user.real_name} in {self._slack.world.workspaces[user.team_id].name}", value=user.id)
            for user in self._everybody.people(request.query.get("team"))
        ]
        return page(
            f"Sign in to {app.name} with Slack",
            el(
                "form",
                [el("input", type="hidden", name=each, value=request.query.get(each, "")) for each in CARRIED],
                el("label", "You are ", el("select", people, name="user_id")),
                el("p", f"It will know: {', '.join(scopes)}. It goes on at {redirect}"),
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
            user = self._everybody.user(text(form.get("user_id")))
        except Wrong as wrong:
            return page("That did not work", el("p", str(wrong)), web.HTTPBadRequest.status_code)
        state = text(form.get("state"))
        if form.get("answer") != "allow":
            return back(redirect, {"error": "access_denied", "state": state})
        named, nonce = text(form.get("redirect_uri")) or None, text(form.get("nonce")) or None
        code = self._slack.openid.allow(Consent(app.id, user.id, scopes, named, nonce, 0.0))
        return back(redirect, {"code": code, "state": state})

    def _asked(self, given: Given) -> tuple[App, list[str], str]:
        app = next((each for each in self._slack.world.apps.values() if each.client_id == given("client_id")), None)
        if app is None:
            raise Wrong("invalid_client_id: there is no app with that client_id.")
        if given("response_type") != "code":
            raise Wrong("invalid_response_type: response_type is code.")
        scopes = (given("scope") or "").replace(",", " ").split()
        if "openid" not in scopes or not set(scopes) <= set(SCOPES):
            raise Wrong("invalid_scope: scope has openid in it, and email and profile where they are wanted.")
        wanted = given("redirect_uri") or ""
        if not wanted and app.redirect_urls:
            return app, scopes, app.redirect_urls[0]
        if not any(within(wanted, each) for each in app.redirect_urls):
            raise Wrong("bad_redirect_uri: redirect_uri did not match any configured URIs.")
        return app, scopes, wanted
