"""Installing the app through OAuth: Bolt's own flow, with our states, and with the directory as its store."""

import asyncio
import html
import logging
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import aiohttp
from aiohttp import web
from pydantic import SecretStr
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.error import BoltError
from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient
from typing_extensions import override

from services.directory.holding import Known
from services.directory.installations import Granted, Installations
from services.directory.lookup import Directory
from services.directory.slack_tokens import MORE_SCOPES, SCOPES
from services.kit.clock import Clock
from services.kit.fault import Fault
from services.kit.fresh_ids import FreshIds
from services.kit.quiet import QUIET
from services.kit.redaction import learn
from services.kit.secrets.sealing import CannotOpen, Sealer

log = logging.getLogger(__name__)

INSTALL, REDIRECT = "/slack/install", "/slack/oauth_redirect"
STATE_GOOD_FOR_S = 600
SKEW_S = 30
"""By so much another process's clock may be ahead."""
KNOWN_WITHIN_S = 5.0
MOST_STATES = 10_000
_STATE = "an OAuth state"
_WORKSPACE = re.compile(r"[TE][A-Z0-9]{1,30}")


@dataclass(frozen=True)
class OAuthApp:
    """What is known of the app that is installed."""

    client_id: str
    client_secret: SecretStr
    authorize_url: str
    redirect_uri: str | None


class States(AsyncOAuthStateStore):
    """States that any process of ours can check: sealed, good for ten minutes, and good once in this process."""

    def __init__(self, sealer: Sealer, clock: Clock, ids: FreshIds) -> None:
        self._sealer, self._clock, self._ids = sealer, clock, ids
        self._used: OrderedDict[bytes, float] = OrderedDict()

    @override
    async def async_issue(self, *_: object, **__: object) -> str:
        made = f"{self._clock.now().timestamp():.0f} {self._ids.new()}"
        return self._sealer.seal(SecretStr(made), _STATE).decode()

    @override
    async def async_consume(self, state: str) -> bool:
        try:
            made = self._sealer.open(state.encode(), _STATE).get_secret_value()
        except (CannotOpen, ValueError):
            return False
        now, name = self._clock.now().timestamp(), sha256(made.encode()).digest()
        if not -SKEW_S <= now - float(made.partition(" ")[0]) <= STATE_GOOD_FOR_S or name in self._used:
            return False
        self._used[name] = now
        if len(self._used) > MOST_STATES:
            self._used.popitem(last=False)
        return True


class NotStored(BoltError):
    """The directory did not take the installation. Its words are for the person who installs."""


class Store(AsyncInstallationStore):
    """The directory's installations, as Bolt hands them over."""

    def __init__(self, directory: Directory, installations: Installations) -> None:
        self._directory, self._installations = directory, installations

    @override
    async def async_save(self, installation: Installation) -> None:
        try:
            await self._take_in(installation)
        except Fault as fault:
            log.warning("the app was not installed in %s: %s", installation.team_id, fault)
            raise NotStored(str(fault)) from None

    async def _take_in(self, installation: Installation) -> None:
        workspace = installation.enterprise_id if installation.is_enterprise_install else installation.team_id
        if not (workspace and installation.app_id and installation.bot_token):
            raise Fault("Slack's answer names no app, no workspace or no bot token; nothing was kept")
        for secret in (installation.bot_token, installation.bot_refresh_token, installation.user_token):
            if secret:
                learn(secret)
        tenant = await self._owner(workspace)
        refresh, expires_at = installation.bot_refresh_token, installation.bot_token_expires_at
        await self._installations.take_in(
            tenant,
            Granted(
                app=installation.app_id,
                workspace=workspace,
                bot_token=SecretStr(installation.bot_token),
                bot_user=installation.bot_user_id,
                scopes=tuple(_listed(installation.bot_scopes)),
                refresh_token=SecretStr(refresh) if refresh else None,
                expires_at=datetime.fromtimestamp(expires_at, UTC) if expires_at else None,
            ),
        )
        log.info("%s is installed in %s (%s)", installation.app_id, workspace, tenant.tenant_id)

    async def _owner(self, workspace: str) -> Known:
        try:
            async with asyncio.timeout(KNOWN_WITHIN_S):
                tenant = await self._directory.owner(workspace)
        except TimeoutError:
            raise Fault(
                "whose workspace it is cannot be told at the moment; nothing was kept. Install it again"
            ) from None
        if not isinstance(tenant, Known):
            raise Fault(
                f"the workspace {workspace} belongs to nobody here, and nothing was kept. Ask whoever runs this "
                "Threadline to add it to directory.yaml, and install the app again"
            )
        return tenant


def _listed(scopes: Sequence[str] | str | None) -> list[str]:
    found = scopes.split(",") if isinstance(scopes, str) else list(scopes or ())
    return [scope.strip() for scope in found if scope.strip()]


class OAuth:
    """The two pages."""

    def __init__(self, app: OAuthApp, client: AsyncWebClient, store: Store, states: States) -> None:
        settings = AsyncOAuthSettings(
            client_id=app.client_id,
            client_secret=app.client_secret.get_secret_value(),
            scopes=[*SCOPES, *MORE_SCOPES],
            redirect_uri=app.redirect_uri,
            install_path=INSTALL,
            redirect_uri_path=REDIRECT,
            authorization_url=app.authorize_url,
            installation_store=store,
            state_store=states,
            state_expiration_seconds=STATE_GOOD_FOR_S,
            callback_options=AsyncCallbackOptions(success=_installed, failure=_not_installed),
            logger=QUIET,
        )
        self._flow = AsyncOAuthFlow(client=client, logger=QUIET, settings=settings)

    def routes(self) -> list[web.RouteDef]:
        """Where installing begins, and where Slack sends the browser back to."""
        return [web.get(INSTALL, self._begin), web.get(REDIRECT, self._end)]

    async def _begin(self, request: web.Request) -> web.Response:
        team = request.query.get("team")
        if team is not None and _WORKSPACE.fullmatch(team) is None:
            raise web.HTTPBadRequest(text="team is no workspace of Slack's")
        return await to_aiohttp_response(await self._flow.handle_installation(_bolt_request(request)))

    async def _end(self, request: web.Request) -> web.Response:
        try:
            response = await self._flow.handle_callback(_bolt_request(request))
        except (aiohttp.ClientError, OSError) as error:
            log.warning("Slack did not answer while the app was being installed (%s)", type(error).__name__)
            response = _page(502, "Slack did not answer", "Nothing was kept. Install the app again in a moment.")
        return await to_aiohttp_response(response)


def _bolt_request(request: web.Request) -> AsyncBoltRequest:
    return AsyncBoltRequest(body="", query=request.query_string, headers={"cookie": request.headers.get("Cookie", "")})


async def _installed(given: AsyncSuccessArgs) -> BoltResponse:
    where = given.installation.team_name or given.installation.team_id or "your organisation"
    page = _page(200, "It is installed", f"The app is in {where} now. You can close this page and go back to Slack.")
    page.headers["set-cookie"] = [given.settings.state_utils.build_set_cookie_for_deletion()]
    return page


_WORDS = {
    "access_denied": "You did not allow it, and nothing was kept.",
    "invalid_browser": "This page was not reached from our own install page in this browser, or was loaded twice.",
    "invalid_state": "Installing took too long, or this page was loaded twice.",
    "missing_code": "Slack sent no code along.",
    "invalid_code": "Slack does not accept the code: it is used, too old, or the app's client secret is wrong.",
}


async def _not_installed(given: AsyncFailureArgs) -> BoltResponse:
    words = str(given.error) if isinstance(given.error, NotStored) else _WORDS.get(given.reason)
    text = words or "Slack broke it off, and nothing was kept."
    page = _page(given.suggested_status_code, "It was not installed", f"{text} Begin again at {INSTALL}.")
    page.headers["set-cookie"] = [given.settings.state_utils.build_set_cookie_for_deletion()]
    return page


def _page(status: int, title: str, text: str) -> BoltResponse:
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><title>{html.escape(title)}</title><style>body{{font:1rem/1.5 system-ui,'
        "sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem;color:#1d1c1d}@media(prefers-color-scheme:dark)"
        f"{{body{{background:#1a1d21;color:#e8e8e8}}}}</style></head><body><h1>{html.escape(title)}</h1>"
        f"<p>{html.escape(text)}</p></body></html>"
    )
    return BoltResponse(status=status, body=body, headers={"content-type": "text/html; charset=utf-8"})
