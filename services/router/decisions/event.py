"""What is decided about: an envelope that was read, with its names and the moment in which it was received."""

from dataclasses import dataclass
from datetime import datetime

from schemas.cause import Cause
from services.router.decisions.inbound import Inbound


@dataclass(frozen=True, slots=True)
class Event:
    """One envelope."""

    inbound: Inbound
    event_id: str
    cause: Cause
    """What was done. Where nobody did anything that could start a run or a stop, the delivery itself."""
    received_at: datetime

    @property
    def connection(self) -> str:
        """The app in a workspace that it came by."""
        return self.inbound.origin.connection
