"""Where the supervisor is and what a program signs in with: from the environment, or as `configure` was told."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from threadline_agent.notices import warn_once

URL = "THREADLINE_AGENT_URL"
TOKEN = "THREADLINE_AGENT_TOKEN"  # noqa: S105 - the name of a variable
TOKEN_FILE = "THREADLINE_AGENT_TOKEN_FILE"  # noqa: S105 - likewise
CHANNEL = "THREADLINE_AGENT_CHANNEL"
WORKSPACE = "THREADLINE_AGENT_WORKSPACE"
APP = "THREADLINE_AGENT_APP"
TASK = "THREADLINE_TASK_ID"
AGENT = "THREADLINE_AGENT_ID"
LEASE = "THREADLINE_TASK_LEASE"
VARIABLES = (URL, TOKEN, TOKEN_FILE, CHANNEL, WORKSPACE, APP, TASK, AGENT, LEASE)
"""Every variable that the SDK reads."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a program is told. Nothing of it is checked here."""

    url: str | None = None
    token: str | None = field(default=None, repr=False)
    token_file: str | None = None
    channel: str | None = None
    """Where in Slack tasks are told of: an id, or a name with # before it. The tenant's own channel without."""
    workspace: str | None = None
    """The team id, where the tenant has several workspaces."""
    app: str | None = None
    """The app id, where there are several apps."""

    def secret(self) -> str | None:
        """The token, read anew where it is in a file: it may have been rotated."""
        if self.token is not None or self.token_file is None:
            return _sound(self.token)
        try:
            return _sound(Path(self.token_file).read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            warn_once("token file", "%s: %s: %s", TOKEN_FILE, self.token_file, reason)
            return None

    def missing(self) -> Iterator[str]:
        """What keeps it from reaching a supervisor."""
        if not self.url:
            yield URL
        if self.secret() is None:
            yield f"{TOKEN} (or {TOKEN_FILE})"


_told = Settings()


def configure(  # noqa: PLR0913 - each is a setting
    *,
    url: str | None = None,
    token: str | None = None,
    token_file: str | None = None,
    channel: str | None = None,
    workspace: str | None = None,
    app: str | None = None,
) -> None:
    """Settings of this process, in place of those in the environment. Tasks that run already keep theirs."""
    global _told  # noqa: PLW0603 - a process has one
    _told = Settings(url, token, token_file, channel, workspace, app)


def told() -> Settings:
    """What `configure` was told."""
    return _told


def current(channel: str | None = None, workspace: str | None = None, app: str | None = None) -> Settings:
    """What holds for a task that starts now."""
    of_code = _told.token is not None or _told.token_file is not None
    return Settings(
        url=_told.url or variable(URL),
        token=_told.token if of_code else variable(TOKEN),
        token_file=_told.token_file if of_code else variable(TOKEN_FILE),
        channel=channel or _told.channel or variable(CHANNEL),
        workspace=workspace or _told.workspace or variable(WORKSPACE),
        app=app or _told.app or variable(APP),
    )


def variable(name: str) -> str | None:
    """What the environment says."""
    return os.environ.get(name) or None  # noqa: TID251 - the SDK stands alone, and reads its settings here


def lease_of(task_id: str) -> str | None:
    """By which the process that started this one has a task, if that is the one."""
    return variable(LEASE) if task_id == variable(TASK) else None


def as_environment(settings: Settings) -> dict[str, str]:
    """The variables that tell a child process what only the code said. What the environment says, it inherits."""
    only_here = {
        URL: settings.url,
        TOKEN: settings.token,
        TOKEN_FILE: settings.token_file,
        CHANNEL: settings.channel,
        WORKSPACE: settings.workspace,
        APP: settings.app,
    }
    return {name: value for name, value in only_here.items() if value is not None and value != variable(name)}


def without_home(settings: Settings) -> Settings:
    """The same supervisor and token, wherever it is told of."""
    return replace(settings, channel=None, workspace=None, app=None)


def _sound(token: str | None) -> str | None:
    """A token that can stand in a header."""
    token = (token or "").strip()
    if not token:
        return None
    if not (token.isascii() and token.isprintable()) or " " in token:
        warn_once("token", "the token of %s has characters that no token has; it is not used", TOKEN)
        return None
    return token
