"""What an operation of the control API is: something that is asked, and what answers it."""

from collections.abc import Callable
from typing import Any

from services.slack_sim.control.asks import Asks

Operations = dict[type[Asks[Any]], Callable[[Any], Any]]
"""What answers each thing that can be asked; some take a while, and are awaited."""
