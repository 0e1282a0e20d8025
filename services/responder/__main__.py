"""The process: `threadline responder` becomes it, and `python -m services.responder` is the same."""

import sys

from services.kit.process import begin
from services.responder.app import run
from services.responder.settings import SERVICE, ResponderSettings


def main() -> int:
    """Gives the exit code."""
    return begin(SERVICE, ResponderSettings, run)


if __name__ == "__main__":
    sys.exit(main())
