"""Where Slack's libraries log: nowhere. They show tokens, codes, addresses and whole messages.

We say ourselves what happens.
"""

import logging
from typing import Final

QUIET: Final = logging.getLogger("services.slack_libraries")
QUIET.setLevel(logging.CRITICAL + 1)
