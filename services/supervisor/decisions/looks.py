"""How a status looks: its emoji, its colour, its words."""

from dataclasses import dataclass
from typing import Final

from schemas.agent import AgentStatus, ArtifactKind

BLUE, GREEN, YELLOW, ORANGE, RED, GREY = "#1d9bd1", "#2eb67d", "#ecb22e", "#e8912d", "#e01e5a", "#8d8d8d"


@dataclass(frozen=True)
class Look:
    """One status."""

    emoji: str
    color: str
    words: str


LOOKS: Final[dict[AgentStatus, Look]] = {
    "starting": Look("🚀", BLUE, "STARTING"),
    "working": Look("⚙️", GREEN, "WORKING"),
    "waiting_for_approval": Look("✋", ORANGE, "WAITING FOR APPROVAL"),
    "context_warning": Look("⚠️", YELLOW, "CONTEXT WARNING"),
    "paused": Look("⏸️", GREY, "PAUSED"),
    "stalled": Look("💤", ORANGE, "STALLED"),
    "error": Look("❌", RED, "ERROR"),
    "cancelled": Look("🛑", GREY, "CANCELLED"),
    "complete": Look("✅", GREEN, "COMPLETE"),
}
ARTIFACTS: Final[dict[ArtifactKind, str]] = {"pull_request": "🔀", "file": "📄", "deploy": "📦", "link": "🔗"}
