from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.lifecycle import FINAL, RUN_STATE, TRANSITIONS, NotPossible, Phase, Signal, advance, diagram
from schemas.run import RunStateName


def test_every_run_state_of_the_audit_is_the_name_of_exactly_one_phase() -> None:
    named = [state for state in RUN_STATE.values() if state is not None]
    assert sorted(named) == sorted(get_args(RunStateName))
    assert set(RUN_STATE) == set(Phase)


def test_nothing_leaves_a_final_phase_and_every_other_can_end() -> None:
    assert not {phase for phase, _ in TRANSITIONS} & FINAL
    for phase in set(Phase) - FINAL:
        assert _reachable(phase) & FINAL


def test_every_phase_but_the_first_can_be_reached() -> None:
    assert _reachable(Phase.ACCEPTED) == set(Phase) - {Phase.ACCEPTED}


def test_every_phase_that_is_not_final_can_be_stopped() -> None:
    for phase in set(Phase) - FINAL - {Phase.STOPPING}:
        assert advance(phase, Signal.ASK_STOP) is Phase.STOPPING


@given(st.lists(st.sampled_from(Signal), max_size=12))
def test_whatever_comes_a_run_is_in_a_known_phase_and_an_impossible_signal_says_so(signals: list[Signal]) -> None:
    phase = Phase.ACCEPTED
    for signal in signals:
        if (phase, signal) in TRANSITIONS:
            phase = advance(phase, signal)
        else:
            with pytest.raises(NotPossible, match=f"{phase} cannot take {signal}"):
                advance(phase, signal)


def test_the_diagram_shows_every_transition() -> None:
    assert diagram().count(" --> ") == len(TRANSITIONS) + 1 + len(FINAL)
    assert "streaming --> replied: finish" in diagram()


def _reachable(start: Phase) -> set[Phase]:
    found: set[Phase] = set()
    waiting = [start]
    while waiting:
        here = waiting.pop()
        after = {to for (phase, _), to in TRANSITIONS.items() if phase is here} - found
        found |= after
        waiting += after
    return found
