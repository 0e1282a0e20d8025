"""`python -m services.ingress`: the same as `threadline ingress`, without the command line."""

import sys

from services.ingress.app import run
from services.ingress.settings import IngressSettings
from services.kit.settings import load

if __name__ == "__main__":
    sys.exit(run(load(IngressSettings)))
