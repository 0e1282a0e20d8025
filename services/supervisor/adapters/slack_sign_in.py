"""Sign in with Slack: sends somebody there, and asks Slack who came back (OpenID Connect's code flow)."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import aiohttp
from pydantic import SecretStr

from services.kit.clock import Clock
from services.kit.fresh_ids import FreshIds
from services.kit.redaction import learn
from services.kit.secrets.sealing import CannotOpen, Sealer
from services.supervisor.settings import SupervisorSettings

REDIRECT: Final = "/in/slack"
GOOD_FOR: Final = timedelta(minutes=10)
ANSWER_WITHIN_S: Final = 10.0
SKEW_S: Final = 60.0
ISSUER: Final = "https://slack.com"
CLAIMS: Final = ISSUER
_STATE: Final = "state of a sign-in with Slack"


class NotSignedIn(Exception):
    """Why not, for the person who wanted to."""


@dataclass(frozen=True)
class SlackApp:
    """What is known of the app that people sign in to."""

    client_id: str
    client_secret: SecretStr
    api_url: str
    public_url: str

    @property
    def redirect_uri(self) -> str:
        """Where Slack sends browsers back to."""
        return f"{self.public_url}{REDIRECT}"

    @property
    def authorize_url(self) -> str:
        """Where Slack asks people: beside its Web API."""
        return f"{self._origin}/openid/connect/authorize"

    @property
    def issuers(self) -> tuple[str, str]:
        """Who may have made an id token: Slack, and where SLACK_API_URL names another server, that one as well."""
        return ISSUER, self._origin

    @property
    def _origin(self) -> str:
        parts = urlsplit(self.api_url)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True)
class Person:
    """Who Slack says it is."""

    user: str
    name: str
    workspaces: tuple[str, ...]
    """The workspace, and the organisation that it is in."""


def app_of(settings: SupervisorSettings) -> SlackApp | None:
    """The app, where all of it is set."""
    client_id, secret, public = settings.slack_client_id, settings.slack_client_secret, settings.supervisor_public_url
    if client_id is None or secret is None or public is None:
        return None
    return SlackApp(client_id, secret, settings.slack_api_url, public.rstrip("/"))


class SlackSignIn:
    """Both halves of it. What is remembered between them stands in the state, and in the browser's own cookie."""

    def __init__(self, app: SlackApp, sealer: Sealer, clock: Clock, ids: FreshIds) -> None:
        self._app, self._sealer, self._clock, self._ids = app, sealer, clock, ids

    def begin(self, browser: str) -> str:
        """Where to send a browser that has this cookie."""
        nonce = self._ids.new()
        state = json.dumps({"browser": _digest(browser), "nonce": nonce, "at": self._clock.now().timestamp()})
        asked = {
            "response_type": "code",
            "scope": "openid profile",
            "client_id": self._app.client_id,
            "state": self._sealer.seal(SecretStr(state), _STATE).decode(),
            "nonce": nonce,
            "redirect_uri": self._app.redirect_uri,
        }
        return f"{self._app.authorize_url}?{urlencode(asked)}"

    async def end(self, browser: str, state: str, code: str) -> Person:
        """Who came back with a code."""
        nonce = self._nonce(browser, state)
        if not code:
            raise NotSignedIn("Slack was not allowed to say who you are, and nothing happened.")
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session:
                return await self._ask(session, code, nonce)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            raise NotSignedIn("Slack did not answer as it should. Nothing happened; begin again in a moment.") from None

    async def _ask(self, session: aiohttp.ClientSession, code: str, nonce: str) -> Person:
        given = {
            "client_id": self._app.client_id,
            "client_secret": self._app.client_secret.get_secret_value(),
            "code": code,
            "redirect_uri": self._app.redirect_uri,
            "grant_type": "authorization_code",
        }
        granted = await self._call(session, "openid.connect.token", given, {})
        token = _text(granted, "access_token")
        learn(token)
        claims = _claims(_text(granted, "id_token"))
        # It came from Slack itself, over its own connection, so that its signature would prove nothing more.
        if not self._is_for_this(claims, nonce):
            raise NotSignedIn("Slack answered for another sign-in than this one. Begin again.")
        said = await self._call(session, "openid.connect.userInfo", {}, {"Authorization": f"Bearer {token}"})
        user = _text(said, f"{CLAIMS}/user_id")
        if claims.get("sub") != said.get("sub"):
            raise NotSignedIn("Slack named two different people. Begin again.")
        places = (_text(said, f"{CLAIMS}/team_id"), said.get(f"{CLAIMS}/enterprise_id"))
        return Person(user, str(said.get("name") or user), tuple(each for each in places if isinstance(each, str)))

    def _is_for_this(self, claims: dict[str, Any], nonce: str) -> bool:
        """Whether an id token was made by whom we asked, for our app, for the sign-in that was begun, and just now."""
        return (
            claims.get("iss") in self._app.issuers
            and claims.get("aud") == self._app.client_id
            and claims.get("nonce") == nonce
            and _until(claims) >= self._clock.now().timestamp() - SKEW_S
        )

    async def _call(
        self, session: aiohttp.ClientSession, method: str, given: dict[str, str], headers: dict[str, str]
    ) -> dict[str, Any]:
        async with session.post(f"{self._app.api_url}{method}", data=given, headers=headers) as answer:
            said: Any = await answer.json()
        if not isinstance(said, dict) or said.get("ok") is not True:
            error = said.get("error") if isinstance(said, dict) else None
            raise NotSignedIn(f"Slack did not take it ({error or answer.status}). Begin again.")
        return said

    def _nonce(self, browser: str, state: str) -> str:
        try:
            opened = json.loads(self._sealer.open(state.encode(), _STATE).get_secret_value())
        except (CannotOpen, UnicodeEncodeError):
            raise NotSignedIn("This page was not reached from our own sign-in page. Begin again.") from None
        if not browser or opened["browser"] != _digest(browser):
            raise NotSignedIn("This sign-in was begun in another browser. Begin again in this one.")
        if self._clock.now().timestamp() - opened["at"] > GOOD_FOR.total_seconds():
            raise NotSignedIn("Signing in took too long. Begin again.")
        nonce: str = opened["nonce"]
        return nonce


def _digest(browser: str) -> str:
    return sha256(browser.encode()).hexdigest()


def _text(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value:
        raise NotSignedIn(f"Slack's answer has no {name.rpartition('/')[2]}. Begin again.")
    return value


def _claims(id_token: str) -> dict[str, Any]:
    part = f"{id_token}..".split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError):
        claims = None
    return claims if isinstance(claims, dict) else {}


def _until(claims: dict[str, Any]) -> float:
    until = claims.get("exp")
    return float(until) if isinstance(until, int | float) else 0.0
