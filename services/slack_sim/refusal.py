"""How Slack says no."""

from typing import Any


class Refusal(Exception):
    """A call is refused: with Slack's own code, and what else its answer says."""

    def __init__(self, error: str, *messages: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more
        if messages:
            self.more["response_metadata"] = {"messages": list(messages)}
