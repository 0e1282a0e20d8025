"""What the supervisor said to one request."""

import json
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """Its status, its body, and when it wants to be asked again."""

    status: int
    body: bytes
    retry_after: float | None = None

    def said(self) -> dict[str, Any]:
        """The JSON object in it; empty where there is none."""
        try:
            said = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return said if isinstance(said, dict) else {}

    def message(self) -> str:
        """What it said of itself, short enough for a line."""
        said = self.said()
        words = said.get("message") or said.get("error")
        return f"{self.status}: {words[:200]}" if isinstance(words, str) else f"it answered {self.status}"
