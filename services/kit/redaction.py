"""Keeps secrets out of whatever is written for people or machines to read."""

import re
from collections.abc import Iterable

HIDDEN = "[redacted]"

_SHAPES = re.compile(
    r"""
      xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]+               # Slack's bot, user, refresh and configuration tokens
    | xapp-[A-Za-z0-9-]+                                  # Slack's app-level tokens
    | xwf[a-z]-[A-Za-z0-9-]+                              # what Slack hands to steps of its workflows
    | \bsk-[A-Za-z0-9_-]{8,}                              # OpenAI's and Anthropic's keys
    | \btl_[a-z0-9-]+_[0-9a-f]{12}_[0-9a-f]{64}\b          # Threadline's own API tokens
    | (?<=[Bb]earer[ ])[A-Za-z0-9._~+/=-]{8,}             # an Authorization header
    | (?<=[Bb]asic[ ])(?!Information\b)[A-Za-z0-9+/=]{8,}  # likewise; Basic Information is a page of Slack's
    | https://hooks\.slack\.com/[^\s"'<>,]+               # response_url and incoming webhooks: whoever has it may post
    | (?<=[?&]ticket=)[^&\s"'<>]+                         # Socket Mode's address
    | (?<=://)[^/\s:@"']*:[^/\s@"']+(?=@)                 # a password in an address
    """,
    re.VERBOSE,
)

_TOKENS = re.compile(
    r"""
      \bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{4,}
    | \bxapp-[A-Za-z0-9-]{4,}
    | \bsk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{16,}
    | \btl_[a-z0-9-]+_[0-9a-f]{12}_[0-9a-f]{64}\b
    | https://hooks\.slack\.com/\S+
    | ://[^/\s:@"']*:[^/\s@"']+@
    """,
    re.VERBOSE,
)
"""Only what can hardly be anything else: prose about a bearer of news is no secret."""

_SHORTEST = 6
"""A shorter secret would blank out ordinary words."""


_learnt: list[str] = []
"""The longest first, so that none hides a part of another only."""


def learn(secret: str) -> None:
    """From now on this very value is kept out, too. Secrets belong to the process, as its log does."""
    if len(secret) >= _SHORTEST and secret not in _learnt:
        _learnt.append(secret)
        _learnt.sort(key=len, reverse=True)


def holds_token(text: str) -> bool:
    """Whether a secret stands in it, where refusing ordinary words would be a nuisance."""
    return _TOKENS.search(text) is not None


class Redactor:
    """Knows the shapes of well-known secrets and the very values that this process was given."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        known = sorted({value for value in values if len(value) >= _SHORTEST}, key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """The text without its secrets."""
        if self._values is not None:
            text = self._values.sub(HIDDEN, text)
        for secret in _learnt:
            text = text.replace(secret, HIDDEN)
        return _SHAPES.sub(HIDDEN, text)
