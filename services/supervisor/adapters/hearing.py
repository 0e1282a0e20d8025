"""Hears what became in Slack of what was handed over: all of slack.effects, without a group, from an hour back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from schemas.buttons import PREFIX
from schemas.effect import Entry, LedgerEntry
from schemas.record import CannotRead
from schemas.topics import SLACK_EFFECTS
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import onward, reader, record_of

BACK: Final = timedelta(hours=1)
NAMED: Final = f'"post_id":"{PREFIX}'.encode()
"""Stands in every entry about a post of ours. Others need not be opened."""


class Hearing:
    """Reads them."""

    def __init__(self, settings: KafkaSettings, now: datetime, heard: Callable[[LedgerEntry], None]) -> None:
        self._settings, self._since, self._heard = settings, now - BACK, heard

    async def run(self) -> None:
        """Until it is cancelled."""
        async with reader(self._settings, SLACK_EFFECTS, self._since) as consumer:
            async for raw in onward(consumer):
                if NAMED not in (raw.value or b""):
                    continue
                try:
                    _, event = record_of(raw, self._settings.topic_prefix).decode()
                except CannotRead:
                    continue  # nobody but a responder writes there; what is damaged names no post
                if isinstance(event, Entry):
                    self._heard(event)
