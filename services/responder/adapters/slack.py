"""Calls Slack's Web API: with the token of the workspace that a call is for, and a plain word of what came of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from services.directory.holding import Known
from services.directory.installations import Installations, NoToken
from services.directory.lookup import Directory
from services.kit.clock import Clock
from services.kit.fault import Fault
from services.kit.quiet import QUIET
from services.kit.secrets.source import SecretsUnavailable
from services.kit.slack_errors import code_of, retry_after

ANSWER_WITHIN_S: Final = 15
OUR_FAULT, TOO_MANY, THEIR_FAULT = 400, 429, 500
MOST_CLIENTS: Final = 1000
TOKEN_IS_GOOD_S: Final = 60.0
NOT_TAKEN: Final = frozenset({"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"})
SHORTEST_REST_S: Final = 1.0
READS: Final = frozenset({"conversations.replies", "conversations.history", "conversations.list"})
"""Methods that take their arguments as a form, and not as JSON."""
TRANSIENT: Final = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)
"""Slack's words for trouble of its own, after which nobody knows whether the call was done."""


@dataclass(frozen=True)
class Workspace:
    """Where a call goes."""

    tenant_id: str
    connection: str
    """The app, a colon, and the workspace or organisation."""

    @property
    def app(self) -> str:
        """The app's id."""
        return self.connection.partition(":")[0]

    @property
    def owner(self) -> str:
        """The workspace's or the organisation's id."""
        return self.connection.partition(":")[2]


class Refused(Exception):
    """Slack said no: nothing was done."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TooFast(Exception):
    """Slack wants us to wait: nothing was done."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"{wait_s:.0f} s")
        self.wait_s = wait_s


class NotSent(Exception):
    """The call never left: nothing was done."""


class Unsure(Exception):
    """No answer, or none that says anything: it may have been done."""


class NoWay(Exception):
    """There is no token to call with; the words say how to mend it."""


class Slack:
    """Slack, as every workspace has it."""

    def __init__(
        self, url: str, tokens: Installations, directory: Directory, session: aiohttp.ClientSession, clock: Clock
    ) -> None:
        self._url, self._installations, self._directory = url, tokens, directory
        self._session, self._clock = session, clock
        self._clients: dict[str, AsyncWebClient] = {}
        self._tokens: dict[Workspace, tuple[str, float]] = {}

    async def client(self, workspace: Workspace) -> AsyncWebClient:
        """Who may call there."""
        return self._client(await self._token(workspace))

    async def call(self, client: AsyncWebClient, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Makes one call. What it raises says what is known of it."""
        form = {name: str(value) if not isinstance(value, str) else value for name, value in arguments.items()}
        how = {"params": form} if method in READS else {"json": dict(arguments)}
        try:
            response = await client.api_call(method, **how)
        except SlackApiError as error:
            raise self._told(error) from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, AttributeError, TypeError) as error:
            # the last two are the client's, where an answer is JSON and no object
            raise Unsure(type(error).__name__) from None
        data = response.data
        return data if isinstance(data, dict) else {}

    def _told(self, error: SlackApiError) -> Exception:
        status = error.response.status_code if isinstance(error.response, AsyncSlackResponse) else THEIR_FAULT
        code = code_of(error)
        if status == TOO_MANY or code in {"ratelimited", "rate_limited"}:
            return TooFast(max(retry_after(error), SHORTEST_REST_S))
        if status >= THEIR_FAULT or code in TRANSIENT or (status < OUR_FAULT and " " in code):
            return Unsure(f"HTTP {status}, {code}")
        if code in NOT_TAKEN:
            self._tokens.clear()
        return Refused(code)

    async def _token(self, workspace: Workspace) -> str:
        """Read anew after a while, so that it can be changed, and at once where Slack does not take it any more."""
        known, now = self._tokens.get(workspace), self._clock.monotonic()
        if known is not None and now < known[1]:
            return known[0]
        token = await self._read_token(workspace)
        if len(self._tokens) >= MOST_CLIENTS:
            self._tokens.clear()
        self._tokens[workspace] = (token, now + TOKEN_IS_GOOD_S)
        return token

    async def _read_token(self, workspace: Workspace) -> str:
        tenant = await self._directory.owner(workspace.owner)
        if not isinstance(tenant, Known) or tenant.tenant_id != workspace.tenant_id:
            raise NoWay(f"{workspace.owner} does not belong to {workspace.tenant_id} any more")
        try:
            token = await self._installations.secret("slack_bot_token", tenant, workspace.owner, workspace.app)
        except SecretsUnavailable as fault:
            raise NotSent(str(fault)) from None
        except (NoToken, Fault) as fault:
            raise NoWay(str(fault)) from None
        return token.get_secret_value()

    def _client(self, token: str) -> AsyncWebClient:
        found = self._clients.get(token)
        if found is None:
            if len(self._clients) >= MOST_CLIENTS:
                self._clients.clear()
            found = AsyncWebClient(
                token=token,
                base_url=self._url,
                timeout=ANSWER_WITHIN_S,
                session=self._session,
                retry_handlers=[],
                logger=QUIET,
            )
            self._clients[token] = found
        return found


@asynccontextmanager
async def slack_session() -> AsyncIterator[aiohttp.ClientSession]:
    """What all calls share: connections that are kept open."""
    connector = aiohttp.TCPConnector(limit=200, keepalive_timeout=60)
    async with aiohttp.ClientSession(
        connector=connector, timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
    ) as session:
        yield session
        await asyncio.sleep(0)
