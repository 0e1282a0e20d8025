"""`./dev chaos pipeline`, the short selection: whatever breaks, nothing is lost, nothing doubled, and work goes on."""

import pytest

from bench.chaos.play import play
from bench.chaos.scenario import Scenario, scenarios
from bench.chaos.stage import Ground

SEED = 11
WITHIN_S = 300
CHOSEN = [each for each in scenarios() if each.is_in_ci]


@pytest.mark.timeout(WITHIN_S)
@pytest.mark.parametrize("scenario", CHOSEN, ids=[each.name for each in CHOSEN])
async def test_it_holds(standing: Ground, scenario: Scenario) -> None:
    outcome = await play(standing, scenario, SEED)
    assert outcome.missing == ""
    assert outcome.wrong == {}
    assert outcome.stood_still == (), outcome.went_on
    assert outcome.counts["runs"] > 0
