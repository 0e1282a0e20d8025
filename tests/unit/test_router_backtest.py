"""Counting what rules would have matched: records decided once as back then, and once as it is tried."""

import re
from collections.abc import Iterable
from dataclasses import replace

from bench.beds.inbox import encoded
from schemas.decision import DecisionMade
from schemas.envelope import Envelope
from schemas.run import Usage
from services.directory.document import Installation, InstalledApp, TenantFacts
from services.directory.document import Tenant as Described
from services.router.decisions.facts import Agent, Limit, Rule, Tenant
from services.router.replay.backtest import Backtest, Tried
from services.router.replay.backtested import Cost
from services.router.replay.log import Logged
from services.router.replay.redeciding import Redecider
from services.router.replay.usual import Spent, Usual
from services.router.stream.deciding import Source
from tests.deciding import ACME, MARA, Deciding, mention, message
from tests.samples import event_callback, run_state
from threadline.directory_past import standing

OUTAGE = Rule("outage", "message", pattern=re.compile("down"))
EARLIER = replace(ACME, rules=(OUTAGE,))


def made(router: Deciding, *events: dict[str, object]) -> list[Envelope]:
    """A delivery each."""
    found: list[Envelope] = []
    for event in events:
        router.number += 1
        payload = event_callback(event, event_id=f"Ev{router.number}")
        found.append(router.envelope("events_api", payload))
    return found


def said(*texts: str, channel: str = "C1", first: int = 1) -> list[dict[str, object]]:
    return [message(text, f"{number}.000001", channel=channel) for number, text in enumerate(texts, first)]


def tried(before: Tenant, now: Tenant, envelopes: Iterable[Envelope]) -> dict[str, Tried]:
    """By rule."""
    back_then, again, found = Redecider(), Redecider(), Backtest([now])
    for offset, envelope in enumerate(envelopes):
        value, headers = encoded(envelope)
        source = Source(0, offset, b"A1:T1", value, headers, envelope.at.timestamp())
        decision = back_then.decide(source, lambda _: before).decision
        recorded = DecisionMade(at=envelope.at, decision=decision, source_partition=0, source_offset=offset)
        found.take(Logged(source, recorded), again.decide(source, lambda _: now))
    return {each.rule_name: each for each in found.tried()}


def names(rule: Tried) -> list[str]:
    return [each.name for each in rule.matches]


def test_a_new_rule_has_only_new_runs_and_one_that_never_matches_is_there_all_the_same() -> None:
    events = [*said("all is well", "it is down"), *said("down again", channel="C2", first=3)]
    never = Rule("never", "message", pattern=re.compile("xyz"))
    found = tried(ACME, replace(ACME, rules=(OUTAGE, never)), made(Deciding(), *events))
    assert names(found["outage"]) == ["C1/2.000001", "C2/3.000001"]
    assert found["outage"].channels == {"C1": 1, "C2": 1}
    assert [(each.comes_to, each.back_then, each.agent_id) for each in found["outage"].matches] == [
        ("run", "no_run", "mara")
    ] * 2
    assert found["outage"].runs == found["outage"].more_runs == {"mara": 2}
    assert (found["never"].matches, found["never"].no_longer, found["never"].runs) == ([], [], {})


def test_a_changed_rule_shows_what_is_as_it_was_what_is_new_and_what_is_no_longer() -> None:
    changed = replace(ACME, rules=(Rule("outage", "message", pattern=re.compile("is down|slow")),))
    found = tried(EARLIER, changed, made(Deciding(), *said("it is down", "slow", "down again")))["outage"]
    assert [(each.name, each.back_then) for each in found.matches] == [
        ("C1/1.000001", "this_rule"),
        ("C1/2.000001", "no_run"),
    ]
    assert [(each.name, each.comes_to) for each in found.no_longer] == [("C1/3.000001", "nothing")]
    assert (found.count("run", "this_rule"), found.runs, found.more_runs) == (1, {"mara": 2}, {"mara": 1})


def test_a_rule_that_is_gone_and_one_that_takes_its_place() -> None:
    other = Rule("other", "message", pattern=re.compile("down"))
    found = tried(EARLIER, replace(ACME, rules=(other,)), made(Deciding(), *said("it is down")))
    assert (found["outage"].when, names(found["outage"])) == (None, [])
    assert [each.back_then for each in found["outage"].no_longer] == ["this_rule"]
    assert [each.back_then for each in found["other"].matches] == ["another_run"]
    assert (found["other"].runs, found["other"].more_runs) == ({"mara": 1}, {}), "the run was there, for another rule"


def test_what_is_over_the_limit_or_answered_by_nobody_is_a_match_and_no_run() -> None:
    events = made(Deciding(), *said("down", "down", "down"))
    found = tried(ACME, replace(EARLIER, limits=(Limit("connection", 1, 1),)), events)["outage"]
    assert [each.comes_to for each in found.matches] == ["run", "throttled", "throttled"]
    assert (found.count("throttled"), found.more_runs) == (2, {"mara": 1})
    nobody = replace(ACME, agents=(), rules=(OUTAGE,))
    found = tried(ACME, nobody, events)["outage"]
    assert [each.comes_to for each in found.matches] == ["no_agent"] * 3
    assert found.runs == {}


def test_a_limit_that_is_lower_takes_runs_away_and_says_so() -> None:
    lower = replace(EARLIER, limits=(Limit("connection", 1, 1),))
    found = tried(EARLIER, lower, made(Deciding(), *said("down", "down")))["outage"]
    assert [each.comes_to for each in found.matches] == ["run", "throttled"]
    assert [(each.name, each.comes_to) for each in found.no_longer] == [("C1/2.000001", "throttled")]


def test_what_slack_tells_twice_is_one_match_and_a_mention_costs_nothing_extra() -> None:
    ruled = replace(ACME, bot_users={"A1:T1": "UBOT"}, rules=(Rule("triage", "mention"),))
    halves = [message("<@UBOT> hi", "1.000001"), mention("<@UBOT> hi", "1.000001")]
    for events in (halves, halves[::-1]):
        found = tried(ACME, ruled, made(Deciding(), *events, *events))["triage"]
        assert names(found) == ["C1/1.000001"]
        assert [(each.comes_to, each.back_then) for each in found.matches] == [("run", "another_run")]
        assert found.is_answered_anyhow
        assert (found.runs, found.more_runs) == ({}, {})


def test_a_mention_that_was_refused_costs_nothing_extra_either() -> None:
    before = replace(ACME, limits=(Limit("connection", 1, 1),))
    events = [mention("<@UBOT> hi", f"{number}.000001") for number in (1, 2)]
    found = tried(before, replace(ACME, rules=(Rule("triage", "mention"),)), made(Deciding(), *events))["triage"]
    assert [each.back_then for each in found.matches] == ["another_run", "no_run"]
    assert (found.runs, found.more_runs) == ({}, {}), "it is another limit that answers it, and no rule"


def test_a_thread_that_is_followed_for_the_rule_alone_costs_too() -> None:
    events = [
        *said("it is down"),
        message("since when?", "2.000001", thread_ts="1.000001"),
        message("<@UBOT> who?", "3.000001", thread_ts="1.000001", type="app_mention"),
        message("anybody?", "4.000001", thread_ts="1.000001"),
        message("another thread", "6.000001", thread_ts="5.000001"),
    ]
    found = tried(ACME, EARLIER, made(Deciding(), *events))["outage"]
    assert names(found) == ["C1/1.000001"]
    assert found.in_its_threads == {"mara": 1}, "from the mention on the thread was followed anyhow"
    assert found.more_runs == {"mara": 2}


def test_a_thread_that_was_followed_anyhow_is_not_the_rules() -> None:
    events = [*said("it is down"), message("since when?", "2.000001", thread_ts="1.000001")]
    before = replace(EARLIER, limits=(Limit("connection", 1, 1),))
    found = tried(before, EARLIER, made(Deciding(), *events))["outage"]
    assert found.in_its_threads == {}, "it is another limit that answers in it"


def test_a_mention_that_is_refused_twice_is_one_match() -> None:
    ruled = replace(
        ACME,
        bot_users={"A1:T1": "UBOT"},
        rules=(Rule("triage", "mention"),),
        limits=(Limit("connection", 1, 1),),
    )
    events = [mention("<@UBOT> hi", "1.000001"), message("<@UBOT> hi", "2.000001"), mention("<@UBOT> hi", "2.000001")]
    found = tried(ACME, ruled, made(Deciding(), *events))["triage"]
    assert [(each.name, each.comes_to) for each in found.matches] == [
        ("C1/1.000001", "run"),
        ("C1/2.000001", "throttled"),
    ]
    nobody = tried(ACME, replace(ruled, agents=()), made(Deciding(), *events))["triage"]
    assert [each.comes_to for each in nobody.matches] == ["no_agent"] * 2


def test_what_a_client_said_again_is_a_match_that_was_done_before() -> None:
    events = [message("it is down", f"{number}.000001", client_msg_id="same") for number in (1, 2)]
    found = tried(ACME, EARLIER, made(Deciding(), *events))["outage"]
    assert [(each.name, each.comes_to) for each in found.matches] == [
        ("C1/1.000001", "run"),
        ("C1/2.000001", "duplicate"),
    ]


def test_rules_about_reactions_and_people_who_join_are_counted_where_they_happen() -> None:
    rules = (Rule("ticket", "emoji_reaction"), Rule("hello", "join"))
    item = {"type": "message", "channel": "C1", "ts": "7.000001"}
    events: list[dict[str, object]] = [
        {"type": "reaction_added", "user": "U1", "reaction": "ticket", "item": item, "event_ts": "8.1"},
        {"type": "member_joined_channel", "user": "U1", "channel": "C2", "team": "T1", "event_ts": "9.1"},
    ]
    found = tried(ACME, replace(ACME, rules=rules), made(Deciding(), *events))
    assert names(found["ticket"]) == ["C1/7.000001"]
    assert found["hello"].channels == {"C2": 1}
    assert names(found["hello"]) == [found["hello"].matches[0].event_id], "there is no message to name"


def test_a_tenant_that_is_tried_keeps_the_apps_that_were_installed_through_oauth() -> None:
    installed = InstalledApp(app="A1", workspace="T1", origin="oauth", bot_user="UBOT")
    gone = InstalledApp(app="A2", workspace="T1")
    applied = TenantFacts(id="acme", name="Acme", installations=(installed, gone))
    described = Described(id="acme", name="Acme", installations=(Installation(app="A3", workspace="T1"),))
    assert [each.app for each in standing(described, applied).installations] == ["A3", "A1"]
    assert [each.app for each in standing(described, None).installations] == ["A3"]


def test_other_tenants_do_not_count() -> None:
    envelopes = made(Deciding(), *said("it is down"))
    value, headers = encoded(envelopes[0])
    source, found = Source(0, 0, b"A1:T1", value, headers, 0.0), Backtest([replace(EARLIER, id="globex")])
    found.take(Logged(source, None), Redecider().decide(source, lambda _: EARLIER))
    assert [(each.tenant_id, each.matches) for each in found.tried()] == [("globex", [])]


def used(agent: str, tokens_in: int, tokens_out: int, cost_usd: float | None = None) -> dict[str, object]:
    usage = Usage(model="m", input_tokens=tokens_in, output_tokens=tokens_out, cost_usd=cost_usd)
    return {"state": "complete", "run_id": f"{agent}-{tokens_in}", "agent_id": agent, "usage": usage}


def test_an_agents_usual_run_is_the_median_of_those_that_were_completed() -> None:
    found = Spent()
    for run in (used("mara", 100, 9, 0.5), used("mara", 300, 1, 0.1), used("mara", 200, 5), used("vera", 7, 7)):
        found.take(run_state(**run))
    found.take(run_state(**used("mara", 300, 1, 0.1)))  # its end was written twice
    found.take(run_state(**{**used("mara", 9999, 9999), "state": "error"}))
    found.take(run_state(**{**used("mara", 9999, 9999), "tenant_id": "globex"}))
    found.take(run_state(state="complete", agent_id="mara"))
    assert found.usual("acme", "mara") == Usual(3, 200, 5, 0.3)
    assert found.usual("acme", "vera") == Usual(1, 7, 7, None), "its model has no price"
    assert found.usual("acme", MARA.name) is None


def test_a_cost_is_so_many_usual_runs_and_nothing_is_invented() -> None:
    cost = Cost("mara", 5, 2, Usual(3, 200, 5, 0.3)).as_json()
    assert cost["additional"] == {"runs": 2, "input_tokens": 400, "output_tokens": 10, "cost_usd": 0.6}
    assert cost["whole"] == {"runs": 5, "input_tokens": 1000, "output_tokens": 25, "cost_usd": 1.5}
    assert Cost("mara", 2, 2, Usual(3, 200, 5, None)).of(2)["cost_usd"] is None
    unknown = Cost("mara", 2, 2, None).as_json()
    assert unknown["usual"] is None
    assert unknown["additional"] == {"runs": 2, "input_tokens": None, "output_tokens": None, "cost_usd": None}


def test_the_agent_that_a_rule_names_is_who_costs() -> None:
    both = replace(ACME, agents=(MARA, Agent("ben", "Ben")), rules=(replace(OUTAGE, agent="ben"),))
    assert tried(ACME, both, made(Deciding(), *said("it is down")))["outage"].more_runs == {"ben": 1}
