"""The Events API over HTTP, and interactivity and commands likewise: signed requests, and what their answers mean."""

import asyncio
import hashlib
import hmac
import logging
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientConnectionError, ClientError, ClientSession, ClientTimeout, TCPConnector

from services.slack_sim.delivery.delivery import Attempt, Delivery
from services.slack_sim.delivery.dispatcher import Dispatcher
from services.slack_sim.faults.links import LinkFaults
from services.slack_sim.wire import as_json, parsed_json
from services.slack_sim.world.entities import App
from services.slack_sim.world.moments import Moments
from services.slack_sim.world.names import Names
from services.slack_sim.world.world import World

log = logging.getLogger(__name__)

AT_ONCE = 200
HOUR_S = 3600.0
MINUTE_S = 60.0
DISABLING_SHARE = 0.95
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def signed(secret: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that prove that a request is Slack's."""
    base = b"v0:%d:%s" % (timestamp, body)
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={digest}"}


@dataclass
class Hour:
    """What went to one app in one workspace lately."""

    sent: deque[float] = field(default_factory=deque)
    limited_at: float = float("-inf")


@dataclass
class Outcomes:
    """How an app's deliveries of the last hour ended."""

    ended: deque[tuple[float, bool]] = field(default_factory=deque)
    failures: int = 0


class Http:
    """Carries deliveries as HTTP requests."""

    timed_out = "http_timeout"

    def __init__(
        self, world: World, names: Names, moments: Moments, dispatcher: Dispatcher, faults: LinkFaults
    ) -> None:
        self._world, self._names, self._moments = world, names, moments
        self._dispatcher, self._faults = dispatcher, faults
        self._session: ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._hours: dict[tuple[str, str], Hour] = {}
        self._outcomes: dict[str, Outcomes] = {}
        self._verifying: dict[str, asyncio.Lock] = {}

    def open(self) -> None:
        """Gets ready to send."""
        self._session = ClientSession(
            connector=TCPConnector(limit=AT_ONCE), timeout=ClientTimeout(total=None), trust_env=False
        )

    async def close(self) -> None:
        """Ends what is on its way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def forget_records(self) -> None:
        """Forgets what was sent."""
        self._hours.clear()
        self._outcomes.clear()

    def forget_all(self) -> None:
        """Lets go of what is on its way, too."""
        for task in self._tasks:
            task.cancel()
        self._verifying.clear()
        self.forget_records()

    def ready(self, app: App) -> str | None:
        """HTTP is always there, but for an app that was switched off."""
        return None if app.disabled else "http"

    def send(self, delivery: Delivery, attempt: Attempt) -> None:
        """Sends it, unless the app has had its share of this hour."""
        app = self._world.apps[delivery.app_id]
        if delivery.kind == "events_api" and self._is_limited(app, delivery):
            self._dispatcher.failed(delivery, attempt, "app_rate_limited", final=True)
            return
        self._start(self._deliver(app, delivery, attempt))

    def set_up(self, app: App) -> None:
        """An app has another address perhaps: it must prove that it is the app's. What failed before is forgotten."""
        self._outcomes.pop(app.id, None)
        self._start(self._verify(app))

    async def _is_verified(self, app: App, url: str) -> bool:
        """Asks once, however many deliveries want to know."""
        async with self._verifying.setdefault(app.id, asyncio.Lock()):
            if app.verified_url != url:
                await self._verify(app)
        return app.verified_url == url

    async def _verify(self, app: App) -> None:
        challenge = self._names.secret("challenge")
        body = {"token": app.verification_token, "challenge": challenge, "type": "url_verification"}
        url = app.request_url or ""
        try:
            async with asyncio.timeout(self._dispatcher.policy.deadline_s):
                status, _, text = await self._post(app, url, as_json(body).encode(), JSON, {})
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            log.warning("%s does not answer the challenge at %s: %s", app.id, url, repr(error))
            return
        if status == HTTPStatus.OK and challenge in text:
            app.verified_url = url
            self._world.keep(app)
            return
        log.warning("%s answered the challenge at %s with %d and without the challenge", app.id, url, status)

    async def _deliver(self, app: App, delivery: Delivery, attempt: Attempt) -> None:
        url = delivery.url or app.request_url
        if not url:
            self._dispatcher.failed(delivery, attempt, "no_url", final=True)
            return
        if delivery.kind == "events_api" and not await self._is_verified(app, url):
            self._ended(delivery, attempt, "url_not_verified", final=False)
            return
        body, kind = _body_of(delivery)
        headers: dict[str, str] = {}
        self._dispatcher.sent(delivery, attempt)
        if attempt.number:
            headers = {"X-Slack-Retry-Num": str(attempt.number), "X-Slack-Retry-Reason": attempt.reason}
        try:
            async with asyncio.timeout(self._dispatcher.policy.deadline_s):
                status, answer_headers, text = await self._post(app, url, body, kind, headers)
        except TimeoutError:
            self._ended(delivery, attempt, self.timed_out, final=False)
        except (ClientConnectionError, OSError):
            self._ended(delivery, attempt, "connection_failed", final=False)
        except (ClientError, ValueError):
            self._ended(delivery, attempt, "unknown_error", final=False)
        else:
            if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
                self._note(app.id, failed=False)
                self._dispatcher.acknowledged(app.id, attempt.id, _answer(text))
            else:
                final = answer_headers.get("X-Slack-No-Retry") == "1"
                self._ended(delivery, attempt, "http_error", final=final)

    def _ended(self, delivery: Delivery, attempt: Attempt, reason: str, *, final: bool) -> None:
        self._note(delivery.app_id, failed=True)
        self._dispatcher.failed(delivery, attempt, reason, final=final)

    async def _post(
        self, app: App, url: str, body: bytes, kind: str, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], str]:
        if self._session is None:
            raise OSError("the simulator is leaving")
        await self._faults.passable()
        sent = {
            "Content-Type": kind,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            **signed(app.signing_secret, int(self._moments.really()), body),
            **headers,
        }
        async with self._session.post(url, data=body, headers=sent, allow_redirects=False) as answer:
            return answer.status, answer.headers, await answer.text(errors="replace")

    def _is_limited(self, app: App, delivery: Delivery) -> bool:
        hour = self._hours.setdefault((app.id, delivery.team_id), Hour())
        now = self._moments.now()
        while hour.sent and hour.sent[0] <= now - HOUR_S:
            hour.sent.popleft()
        if len(hour.sent) < self._dispatcher.policy.events_per_hour:
            hour.sent.append(now)
            return False
        if now - hour.limited_at >= MINUTE_S:
            hour.limited_at = now
            self._start(self._tell_limited(app, delivery.team_id, int(now // MINUTE_S * MINUTE_S)))
        return True

    async def _tell_limited(self, app: App, team_id: str, minute: int) -> None:
        body = {
            "token": app.verification_token,
            "type": "app_rate_limited",
            "team_id": team_id,
            "minute_rate_limited": minute,
            "api_app_id": app.id,
        }
        try:
            async with asyncio.timeout(self._dispatcher.policy.deadline_s):
                await self._post(app, app.request_url or "", as_json(body).encode(), JSON, {})
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            log.warning("%s was not told that it is limited: %s", app.id, repr(error))

    def _note(self, app_id: str, *, failed: bool) -> None:
        outcomes = self._outcomes.setdefault(app_id, Outcomes())
        now = self._moments.now()
        outcomes.ended.append((now, failed))
        outcomes.failures += failed
        while outcomes.ended[0][0] <= now - HOUR_S:
            outcomes.failures -= outcomes.ended.popleft()[1]
        total = len(outcomes.ended)
        if not failed:
            return
        if total >= self._dispatcher.policy.disabled_from and outcomes.failures > DISABLING_SHARE * total:
            app = self._world.apps[app_id]
            app.disabled = True
            self._world.keep(app)
            log.warning("%s is switched off: %d of its last %d deliveries failed", app_id, outcomes.failures, total)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _body_of(delivery: Delivery) -> tuple[bytes, str]:
    if delivery.kind == "events_api":
        return delivery.body.encode(), JSON
    form = delivery.form if delivery.form is not None else {"payload": delivery.body}
    return urlencode(form).encode(), FORM


def _answer(text: str) -> dict[str, Any] | None:
    """What the app said in its answer: JSON, or plain text for a command."""
    if not text.strip():
        return None
    try:
        parsed = parsed_json(text)
    except ValueError:
        return {"text": text}
    return parsed if isinstance(parsed, dict) else {"text": text}
