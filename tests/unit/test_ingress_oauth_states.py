import string

from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from services.ingress.adapters.oauth import STATE_GOOD_FOR_S, States
from services.kit.fresh_ids import RandomIds
from services.kit.secrets.sealing import Sealer, new_key
from tests.hands import START, Hands

KEY, OTHER_KEY = new_key(), new_key()


def process(*keys: str, clock: Hands | None = None) -> States:
    return States(Sealer(keys or [KEY]), clock or Hands(), RandomIds())


async def test_a_state_is_good_once() -> None:
    states = process()
    state = await states.async_issue()
    assert [await states.async_consume(state) for _ in range(3)] == [True, False, False]


async def test_states_do_not_use_each_other_up() -> None:
    states = process()
    issued = [await states.async_issue() for _ in range(20)]
    assert len(set(issued)) == 20
    assert all([await states.async_consume(state) for state in reversed(issued)])


async def test_a_state_is_good_for_ten_minutes_and_no_longer() -> None:
    assert STATE_GOOD_FOR_S == 600
    for waited_s, good in ((0.0, True), (STATE_GOOD_FOR_S - 1, True), (STATE_GOOD_FOR_S + 1, False), (86_400.0, False)):
        clock = Hands()
        states = process(clock=clock)
        state = await states.async_issue()
        clock.monotonic_s += waited_s
        assert await states.async_consume(state) is good


async def test_a_state_that_was_used_stays_used_until_it_is_too_old() -> None:
    clock = Hands()
    states = process(clock=clock)
    state = await states.async_issue()
    assert await states.async_consume(state)
    for _ in range(25):
        clock.monotonic_s += 30
        assert not await states.async_consume(state)


async def test_a_state_of_the_future_is_refused() -> None:
    ahead = Hands()
    ahead.monotonic_s += 3600
    assert not await process().async_consume(await process(clock=ahead).async_issue())


async def test_a_state_of_another_process_with_the_same_key_is_good() -> None:
    state = await process().async_issue()
    assert await process().async_consume(state)


async def test_a_state_outlives_a_change_of_keys_while_the_old_key_stands_behind_the_new_one() -> None:
    state = await process(KEY).async_issue()
    assert await process(OTHER_KEY, KEY).async_consume(state)


async def test_a_state_of_another_key_is_refused() -> None:
    state = await process(OTHER_KEY).async_issue()
    assert not await process(KEY).async_consume(state)


async def test_what_was_sealed_for_something_else_is_no_state() -> None:
    sealed = Sealer([KEY]).seal(SecretStr(f"{START.timestamp():.0f} 1"), "something else").decode()
    assert not await process().async_consume(sealed)


@given(st.text() | st.text(st.characters(categories=["Cs"])) | st.text(string.ascii_letters + "-_="))
async def test_rubbish_is_refused_and_does_no_harm(state: str) -> None:
    assert not await process().async_consume(state)


@given(st.integers(0, 99))
async def test_a_state_that_was_changed_or_cut_is_refused(at: int) -> None:
    state = await process().async_issue()
    other = "A" if state[at] != "A" else "B"
    assert not await process().async_consume(f"{state[:at]}{other}{state[at + 1 :]}")
    assert not await process().async_consume(state[:at])
