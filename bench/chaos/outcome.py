"""What came of a scenario: what was wrong, what went on, and for how long nothing did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, get_args

from bench.answers import told
from bench.chaos.facts import Facts
from bench.chaos.invariants import wrong
from bench.chaos.scenario import Going, Scenario

UNDER_WAY_S = 0.5
"""What comes of a moment before the strike may still come so long after it."""
BEGUN = "answers begun"


@dataclass
class Times:
    """When it struck, when it was over, and when people had ended."""

    strike: float = 0.0
    over: float = 0.0
    ended: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    name: str
    seed: int
    missing: str = ""
    """Why it was not played."""
    wrong: Mapping[str, list[str]] = field(default_factory=dict)
    excused: Mapping[str, list[str]] = field(default_factory=dict)
    went_on: Mapping[str, int] = field(default_factory=dict)
    """How many acknowledgements, decisions and answers there were while it lasted."""
    stood_still: tuple[str, ...] = ()
    """What had to go on, and did not."""
    silent_s: Mapping[str, float] = field(default_factory=dict)
    """The longest time without one, from the strike until people had ended."""
    counts: Mapping[str, float] = field(default_factory=dict)
    lasted_s: float = 0.0
    took_s: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether everything was as it must be."""
        return not self.missing and not self.wrong and not self.stood_still

    def as_raw(self) -> dict[str, Any]:
        """To be kept."""
        return {**vars(self), "holds": self.holds}


def judged(scenario: Scenario, seed: int, found: Facts, times: Times, took_s: float) -> Outcome:
    """Holds the facts to account."""
    everything, excuses = wrong(found), scenario.fault.excuses
    went_on, silent_s = dict[str, int](), dict[str, float]()
    for what in get_args(Going):
        moments = found.times(what)
        went_on[what] = sum(times.strike + UNDER_WAY_S <= each <= times.over for each in moments)
        silent_s[what] = _longest_gap(moments, times)
    silent_s[BEGUN] = _longest_gap(sorted(each.at for each in found.stands.asked), times)
    return Outcome(
        name=scenario.name,
        seed=seed,
        wrong={name: each for name, each in everything.items() if name not in excuses},
        excused={name: each for name, each in everything.items() if name in excuses},
        went_on=went_on,
        stood_still=tuple(what for what in scenario.fault.goes_on if went_on[what] == 0),
        silent_s=silent_s,
        counts={**told(found.stands), "events": float(len(found.envelopes)), "said": float(len(found.said))},
        lasted_s=times.over - times.strike,
        took_s=took_s,
    )


def _longest_gap(found: list[float], times: Times) -> float:
    """From the strike until people had ended."""
    marks = [times.strike, *(each for each in found if times.strike < each < times.ended), times.ended]
    return max(later - sooner for sooner, later in pairwise(marks))
