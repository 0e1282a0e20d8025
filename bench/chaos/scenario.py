"""What is broken, where, and when: scenarios as they stand in files, one file for each place."""

import random
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

FOLDER = Path(__file__).parent / "scenarios"

Place = Literal["ingress", "router", "responder", "kafka", "postgres", "slack", "model", "log", "everything"]
Moment = Literal["quiet", "talking", "answering", "calling", "stopping", "starting"]
Going = Literal["acks", "decisions", "answers"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Fault(_Strict):
    """One fault as a file has it, with the moments at which it strikes."""

    fault: str
    """Its name in `bench.chaos.faults`."""
    named: str | None = None
    """What people call it, where the fault's name says too little."""
    moments: tuple[Moment, ...] = Field(min_length=1)
    told: Mapping[str, Any] = Field(default_factory=dict)
    """What the fault is told besides."""
    lasts_s: float = Field(default=8.0, gt=0, le=60)
    """From the strike until it is over, or longer until what must go on did; of a kill, how long that is looked at."""
    processes: int = Field(default=1, ge=1, le=2)
    """How many of the place's service there are."""
    goes_on: tuple[Going, ...] = Field(min_length=1)
    """What must go on while it lasts."""
    excuses: Mapping[str, str] = Field(default_factory=dict)
    """Checks that may find something here, and why that is right."""
    in_ci: tuple[Moment, ...] = ()
    """The moments that are tried whenever the tests run."""


class _File(_Strict):
    place: Place
    faults: tuple[Fault, ...]


class Scenario(_Strict):
    """One fault, at one place, at one moment."""

    place: Place
    moment: Moment
    fault: Fault

    @property
    def name(self) -> str:
        """What it is called, and chosen by."""
        return f"{self.place}: {self.fault.named or self.fault.fault}, {self.moment}"

    @property
    def is_in_ci(self) -> bool:
        """Whether the tests play it."""
        return self.moment in self.fault.in_ci

    def chance(self, seed: int) -> random.Random:
        """Its own, so that one that is played alone is played as it was among all."""
        return random.Random(f"{seed}/{self.name}")  # noqa: S311 - a seeded plan


def scenarios(only: str = "*", folder: Path = FOLDER) -> Iterator[Scenario]:
    """Those whose names fit, file by file."""
    for path in sorted(folder.glob("*.yaml")):
        found = _File.model_validate(YAML(typ="safe", pure=True).load(path))
        for fault in found.faults:
            for moment in fault.moments:
                scenario = Scenario(place=found.place, moment=moment, fault=fault)
                if fnmatchcase(scenario.name, only) or only in scenario.name:
                    yield scenario
