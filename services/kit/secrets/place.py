"""Where an installation's secrets are found: all that may stand in a file or a table, and never a secret itself."""

import re
from typing import Annotated

from pydantic import AfterValidator

_PLACE = re.compile(r"(?:(env|files)(?::([a-z0-9][a-z0-9-]{0,62}))?|(gateway))")


def valid_place(place: str) -> str:
    """`env`, `files`, either of them with a holder, or `gateway`. What is wrong is never quoted: it may be a secret."""
    if _PLACE.fullmatch(place) is None:
        raise ValueError(
            "say where the secrets are found, and never a secret itself: env (SLACK_BOT_TOKEN …), env:acme "
            "(ACME_SLACK_BOT_TOKEN …), files (slack_bot_token …), files:acme (acme_slack_bot_token …), or gateway"
        )
    return place


SecretPlace = Annotated[str, AfterValidator(valid_place)]


def holder_in(place: str) -> tuple[str, str | None]:
    """The kind of place, and whose secrets there."""
    kind, _, holder = place.partition(":")
    return kind, holder or None
