"""infra/compose.yaml and the files beside it, as they stand there."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.ops.alerts import ROOT, read

INFRA: Final = ROOT / "infra"
COMPOSE: Final = INFRA / "compose.yaml"
DOCKERFILE: Final = (INFRA / "Dockerfile").read_text("utf-8")
EXAMPLE: Final = (INFRA / ".env.example").read_text("utf-8")

WHOLE: Final[dict[str, Any]] = read(COMPOSE)
SERVICES: Final[dict[str, Any]] = WHOLE["services"]
SCALED: Final = ("ingress", "router", "responder", "supervisor")

OURS: Final = {name: each for name, each in SERVICES.items() if each["image"].startswith("threadline:")}
"""Those that run our image."""
JOBS: Final = {name for name, each in SERVICES.items() if each["restart"] == "no"}

_VARIABLE = re.compile(r"\$\{([A-Z_]+)(:[-?])?([^}]*)\}")


def variables() -> Iterator[tuple[str, str, str]]:
    """Every variable of compose.yaml: its name, `:?` or `:-`, and what stands behind that."""
    yield from _VARIABLE.findall(COMPOSE.read_text("utf-8"))


def needed() -> set[str]:
    """Those without which it does not start."""
    return {name for name, how, _ in variables() if how == ":?"}


def offered() -> dict[str, str]:
    """What the example offers, set or commented out."""
    return dict(re.findall(r"^#?([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))


def filled_in(values: Mapping[str, str]) -> str:
    """The example with something behind each name."""
    lines = EXAMPLE.splitlines()
    return "\n".join(f"{line}{values[line[:-1]]}" if line[:-1] in values else line for line in lines) + "\n"


def in_dockerfile(name: str) -> str:
    """What the image sets a variable or an argument to."""
    found = re.search(rf"^(?:ARG|ENV|\s).*?\b{name}=(\S+)", DOCKERFILE, re.MULTILINE)
    assert found is not None, name
    return found[1]
