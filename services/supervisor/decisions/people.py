"""How somebody who acted is called who is no user of Slack."""

from typing import Final

LOCAL: Final = "local"
"""Whoever signed in on the machine itself."""
LOCAL_WORDS: Final = "somebody on the supervisor's machine"
