"""What every command brings with it."""

import subprocess
import sys

HEAVY = ("aiohttp", "aiokafka", "asyncpg", "opentelemetry", "schemas.topics", "sqlalchemy")
LOADED = f"import sys, threadline.command_line; print(*(each for each in {HEAVY} if each in sys.modules))"


def test_a_command_that_says_a_line_brings_no_client_along() -> None:
    """Each of them takes tenths of a second, of whoever waits for a prompt."""
    done = subprocess.run((sys.executable, "-c", LOADED), capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
