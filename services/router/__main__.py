"""The process: `threadline router` becomes it, and `python -m services.router` is the same."""

import sys

from services.kit.fault import Fault
from services.kit.settings import load
from services.router.app import run
from services.router.settings import RouterSettings


def main() -> int:
    """Gives the exit code."""
    try:
        settings = load(RouterSettings)
    except Fault as fault:
        sys.stderr.write(f"router: {fault}\n")
        return 1
    return run(settings)


if __name__ == "__main__":
    sys.exit(main())
