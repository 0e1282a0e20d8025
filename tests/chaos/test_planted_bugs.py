"""The checks of `./dev chaos pipeline` bite: a service with a bug does not pass. All of them: `./dev chaos planted`."""

import pytest

from bench.chaos.planted import BUGS
from bench.chaos.play import play
from bench.chaos.scenario import scenarios
from bench.chaos.stage import Ground
from bench.suites.planted_bugs import finds

SEED = 11
WITHIN_S = 300


@pytest.mark.timeout(WITHIN_S)
@pytest.mark.parametrize("name", ["acknowledges_early", "finds_nothing"])
async def test_it_is_found(standing: Ground, name: str) -> None:
    bug = BUGS[name]
    [scenario] = [each for each in scenarios() if each.name == bug.scenario]
    outcome = await play(standing, scenario, SEED, {bug.service: f"bench.chaos.planted {name}"})
    assert finds(bug, outcome), outcome.wrong
