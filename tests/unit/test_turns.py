"""What is done in turns lets others have theirs, and leaves nothing out."""

import asyncio

from services.kit.turns import in_turns


async def test_others_have_their_turn_meanwhile_and_nothing_is_left_out() -> None:
    said: list[str] = []
    say = said.append

    async def another() -> None:
        for number in range(3):
            say(f"other {number}")
            await asyncio.sleep(0)

    async def counting() -> None:
        async for each in in_turns(range(5), at_once=2):
            say(f"{each}")

    await asyncio.gather(counting(), another())
    assert said == ["0", "1", "other 0", "2", "3", "other 1", "4", "other 2"]


async def test_what_is_added_meanwhile_is_left_for_the_next_time() -> None:
    things = [1, 2]

    def taken(each: int) -> int:
        things.append(each)
        return each

    assert [taken(each) async for each in in_turns(things)] == [1, 2]
