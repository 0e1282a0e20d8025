"""The process: `threadline ingress` becomes it, and `python -m services.ingress` is the same."""

import sys

from services.ingress.app import SERVICE, run
from services.ingress.settings import IngressSettings
from services.kit.process import begin


def main() -> int:
    """Gives the exit code."""
    return begin(SERVICE, IngressSettings, run)


if __name__ == "__main__":
    sys.exit(main())
