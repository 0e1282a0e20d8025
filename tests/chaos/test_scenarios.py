"""`./dev chaos pipeline`, the short selection: whatever breaks, nothing is lost, nothing doubled, and work goes on.

And the decisions of each, taken again from the log that it left, are the same.
"""

from datetime import timedelta

import pytest

from bench.chaos.play import play
from bench.chaos.scenario import Scenario, scenarios
from bench.chaos.stage import Ground, Stage
from services.directory.owner import owner_database
from services.kit.clock import SystemClock
from services.router.replay.directories import Directories
from services.router.replay.replay import Stretch, Under, replay
from services.router.replay.replayed import Replayed
from services.router.settings import RouterSettings
from threadline.directory_past import as_recorded

SEED = 11
WITHIN_S = 300
CHOSEN = [each for each in scenarios() if each.is_in_ci]


@pytest.mark.timeout(WITHIN_S)
@pytest.mark.parametrize("scenario", CHOSEN, ids=[each.name for each in CHOSEN])
async def test_it_holds(standing: Ground, scenario: Scenario) -> None:
    again: list[Replayed] = []

    async def decide_again(stage: Stage) -> None:
        again.append(await decided_again(stage))

    outcome = await play(standing, scenario, SEED, at_the_end=decide_again)
    assert outcome.missing == ""
    assert outcome.wrong == {}
    assert outcome.stood_still == (), outcome.went_on
    assert outcome.counts["runs"] > 0
    [found] = again
    assert found.decided > outcome.counts["runs"]
    assert list(found.differences) == []
    assert found.undecided == 0


async def decided_again(stage: Stage) -> Replayed:
    """As `threadline replay` does, over all that the scenario left on its topics."""
    now = SystemClock().now()
    async with owner_database(stage.ground.database.settings) as owner:
        recorded = Directories(as_recorded(owner), RouterSettings().rate_limit_per_minute)
        return await replay(stage.kafka, Stretch(now - timedelta(hours=1), now), Under(recorded, None, "its own"))
