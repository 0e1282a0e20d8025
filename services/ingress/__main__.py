"""The process: `threadline ingress` becomes it, and `python -m services.ingress` is the same."""

import sys

from services.ingress.app import run
from services.ingress.settings import IngressSettings
from services.kit.fault import Fault
from services.kit.settings import load


def main() -> int:
    """Gives the exit code."""
    try:
        settings = load(IngressSettings)
    except Fault as fault:
        sys.stderr.write(f"ingress: {fault}\n")
        return 1
    return run(settings)


if __name__ == "__main__":
    sys.exit(main())
