"""Who answers whom: agents of one tenant, and tenants that share nothing."""

from bench.beds.models import ModelServer, Says
from services.directory.document import TRANSPARENCY
from tests.pipeline.town import GUS, IRIS, VERA, Town
from tests.pipeline.traces import requested
from tests.responder.conftest import words_of


async def test_an_agent_that_is_called_by_name_answers_as_itself_by_its_own_model(
    town: Town, model: ModelServer
) -> None:
    model.does(Says("That makes 12."))
    assert words_of(await town.acme.answer(await town.acme.mention("Vera, what do I owe?"))) == "That makes 12."
    asked = model.asked[-1]
    assert asked["model"] == "gpt-5-mini"
    system = asked["messages"][0]["content"]
    for words in ("Your name is Vera.", "Your role is Billing.", VERA.persona, TRANSPARENCY):
        assert words in system
    model.does(Says("I am a machine. It is void."))
    answer = await town.acme.answer(await town.acme.mention("Iris: is it valid?"))
    assert words_of(answer) == "I am a machine. It is void."
    asked = model.asked[-1]
    assert asked["model"] == "claude-opus-4-5"
    for words in ("Your name is Iris.", "Your role is Legal.", IRIS.persona, IRIS.transparency):
        assert words in str(asked["system"])
    assert TRANSPARENCY not in str(asked["system"])
    assert "I am **Mara, Customer Support**" in words_of(
        await town.acme.answer(await town.acme.mention("and who are you?"))
    )


async def test_a_workspace_is_its_tenants_and_another_tenants_people_talk_with_other_agents(
    town: Town, model: ModelServer
) -> None:
    model.does(Says("Noted: 4711."))
    ours = await town.acme.mention("Vera, the code of the safe is 4711")
    await town.acme.answer(ours, "4711")
    model.does(Says("What safe?"))
    theirs = await town.globex.mention("Vera, what is the code of the safe?")
    assert words_of(await town.globex.answer(theirs)) == "What safe?"
    asked = model.asked[-1]
    assert asked["model"] == "gpt-5"
    system = asked["messages"][0]["content"]
    assert "Your name is Gus." in system
    assert GUS.persona in system
    for words in ("4711", "Vera.", "Billing", VERA.persona, "Noted"):
        assert words not in str(asked["messages"])
    model.does(Says("It was 4711."))
    await town.acme.mention("what was it?", thread=ours)
    await town.acme.answer(ours, "It was 4711.")
    assert "the code of the safe is 4711" in str(model.asked[-1]["messages"])
    [mine], [other] = await requested(town.acme, ours), await requested(town.globex, theirs)
    assert (mine.place.tenant_id, mine.agent_id) == ("acme", "vera")
    assert (other.place.tenant_id, other.agent_id) == ("globex", "gus")
    assert (mine.place.team_id, other.place.team_id) == (town.acme.first.team, town.globex.first.team)
