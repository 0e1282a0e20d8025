"""What an answer of a model's costs, by the prices that come with pydantic-ai."""

from typing import Any


def cost_usd(response: Any) -> float | None:
    """In US dollars; none for a model whose price nobody knows, such as one of one's own."""
    try:
        return float(response.cost().total_price)
    except (LookupError, ValueError, AssertionError):
        return None
