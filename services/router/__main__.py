"""The process: `threadline router` becomes it, and `python -m services.router` is the same."""

import sys

from services.kit.process import begin
from services.router.app import run
from services.router.settings import SERVICE, RouterSettings


def main() -> int:
    """Gives the exit code."""
    return begin(SERVICE, RouterSettings, run)


if __name__ == "__main__":
    sys.exit(main())
