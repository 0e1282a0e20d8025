"""Closes the installation of an app that was removed from a workspace: its tokens are good for nothing now."""

import asyncio
import logging
from datetime import datetime

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from services.directory.faults import DatabaseAway
from services.directory.holding import Known
from services.directory.installations import Installations, NoToken
from services.directory.lookup import Directory
from services.ingress.adapters.entry import NotKept
from services.kit.slack_errors import code_of

log = logging.getLogger(__name__)

WITHIN_S = 2.0
"""Slack waits three seconds for its acknowledgement."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
NO_LONGER_GOOD = frozenset({"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"})


class Closing:
    """Does it before the event is acknowledged: where Postgres is away, Slack sends it again, and we go on trying."""

    def __init__(self, directory: Directory, installations: Installations, client: AsyncWebClient) -> None:
        self._directory, self._installations, self._client = directory, installations, client
        self._trying: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def close(self, app: str, workspace: str, at: datetime) -> None:
        """`NotKept` where it could not be done yet."""
        key = (app, workspace)
        task = self._trying.get(key)
        if task is None:
            task = self._trying[key] = asyncio.create_task(self._until_done(app, workspace, at))
            task.add_done_callback(lambda _: self._trying.pop(key, None))
        done, _ = await asyncio.wait({task}, timeout=WITHIN_S)
        if not done:
            log.warning("the installation of %s in %s is not closed yet, and it is tried again", app, workspace)
            raise NotKept("the installation is not closed yet; the event itself is kept")

    async def finish(self) -> None:
        """Gives up what is still tried. Slack sends the event again."""
        tasks = list(self._trying.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _until_done(self, app: str, workspace: str, at: datetime) -> None:
        pause = FIRST_PAUSE_S
        while True:
            try:
                await self._close(app, workspace, at)
            except DatabaseAway:
                await asyncio.sleep(pause)
            except Exception:
                log.exception("the installation of %s in %s could not be closed, and it is tried again", app, workspace)
                await asyncio.sleep(pause)
            else:
                return
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _close(self, app: str, workspace: str, at: datetime) -> None:
        tenant = await self._directory.owner(workspace)
        if not isinstance(tenant, Known):
            log.warning("%s was removed from %s, which belongs to no tenant", app, workspace)
            return
        if await self._still_good(tenant, app, workspace):
            log.info("%s is in %s again: the event is about an installation before this one", app, workspace)
            return
        closed = await self._installations.close(tenant, app, workspace, at)
        log.warning(
            "%s was removed from %s (%s): %s",
            *(app, workspace, tenant.tenant_id),
            "its installation is closed and its tokens are thrown away" if closed else "it was closed already",
        )

    async def _still_good(self, tenant: Known, app: str, workspace: str) -> bool:
        """Whether Slack still takes the token: an event may come late, after the app was installed anew."""
        try:
            token = await self._installations.secret("slack_bot_token", tenant, workspace, app)
            await self._client.auth_test(token=token.get_secret_value())
        except NoToken:
            return False
        except SlackApiError as error:
            if code_of(error) in NO_LONGER_GOOD:
                return False
            raise
        return True
