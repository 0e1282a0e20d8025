"""Who somebody is while they look at the page: sealed into a cookie, so that it outlives the process."""

import hmac
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from pydantic import SecretStr, ValidationError

from schemas.base import Instant, Name, Part
from services.kit.clock import Clock
from services.kit.files import write_whole
from services.kit.secrets.sealing import CannotOpen, Sealer, new_key
from services.supervisor.settings import SupervisorSettings

LASTS: Final = timedelta(hours=12)
KEY: Final = "supervisor-page.key"
_PURPOSE: Final = "session of the supervisor's page"


class Session(Part):
    """Somebody who signed in."""

    user: Name
    """A user of Slack, or `local`."""
    name: str
    tenant_id: Name | None = None
    """Whose tasks they see who signed in on the machine."""
    workspaces: tuple[Name, ...] = ()
    """Of who signed in with Slack: whose tasks they see is looked up each time."""
    until: Instant


class Sessions:
    """Makes sessions, and knows them again."""

    def __init__(self, sealer: Sealer, clock: Clock) -> None:
        self._sealer, self._clock = sealer, clock

    def made(self, session: Session) -> str:
        """The cookie of a session."""
        return self._sealer.seal(SecretStr(session.model_dump_json()), _PURPOSE).decode()

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie, while it lasts."""
        try:
            opened = self._sealer.open(cookie.encode(), _PURPOSE)
            session = Session.model_validate_json(opened.get_secret_value(), strict=False)
        except (CannotOpen, ValidationError, UnicodeEncodeError):
            return None
        return session if self._clock.now() < session.until else None


def form_token(cookie: str) -> str:
    """What a form must carry: only a page of the same session can know it."""
    return sha256(f"form:{cookie}".encode()).hexdigest()


def is_form_token(given: str, cookie: str) -> bool:
    """Whether a form came from a page of this session."""
    return hmac.compare_digest(given.encode(), form_token(cookie).encode())


def sealer_of(settings: SupervisorSettings) -> Sealer:
    """With the installation's keys; without any, with a key of this state folder's own."""
    if settings.sealing_keys is not None:
        return Sealer.of(settings)
    path: Path = settings.state_folder / KEY
    if not path.exists():
        write_whole(path, new_key().encode())
    return Sealer([path.read_text("utf-8").strip()])
