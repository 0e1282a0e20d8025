"""Which code decides here: its version, and where it lies."""

import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Code:
    """A version of Threadline in a folder."""

    version: str
    folder: str


def code_here() -> Code:
    """What runs. A checkout says its version itself: what is installed may be another."""
    checkout = HERE / "pyproject.toml"
    if checkout.is_file():
        version = tomllib.loads(checkout.read_text("utf-8"))["project"]["version"]
    else:
        version = metadata.version("threadline")
    return Code(version, str(HERE))
