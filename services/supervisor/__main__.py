"""The process: `threadline supervisor` becomes it, and `python -m services.supervisor` is the same."""

import sys

from services.kit.process import begin
from services.supervisor.app import run
from services.supervisor.settings import SERVICE, SupervisorSettings


def main() -> int:
    """Gives the exit code."""
    return begin(SERVICE, SupervisorSettings, run)


if __name__ == "__main__":
    sys.exit(main())
