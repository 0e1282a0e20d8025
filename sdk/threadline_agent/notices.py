"""What the SDK says in the log: each thing once an hour at most, so that no trouble floods it."""

import logging
import time
import traceback

LOG = logging.getLogger("threadline_agent")
AGAIN_S = 3600.0
_MOST = 1000
_said: dict[str, float] = {}


def once(level: int, key: str, message: str, *words: object) -> None:
    """Logs it, unless the same key was logged within the hour."""
    now = time.monotonic()
    last = _said.get(key)
    if last is not None and now - last < AGAIN_S:
        return
    if len(_said) >= _MOST:
        _said.clear()
    _said[key] = now
    LOG.log(level, message, *words)


def warn_once(key: str, message: str, *words: object) -> None:
    """Logs it as a warning, once an hour."""
    once(logging.WARNING, key, message, *words)


def mishap(where: str) -> None:
    """Logs the error that is being handled: a fault of the SDK, which must not become one of the agent."""
    warn_once(f"mishap {where}", "%s failed; the agent goes on, please report this\n%s", where, traceback.format_exc())
