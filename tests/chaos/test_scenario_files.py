"""The scenario files: what they name is there, and what they leave out is known."""

from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from pydantic import ValidationError

from bench import reliability_page
from bench.answers import CHECKS
from bench.chaos.faults import FAULTS
from bench.chaos.invariants import ANSWERS, INVARIANT_OF
from bench.chaos.people import FIRST, sayings
from bench.chaos.planted import BUGS
from bench.chaos.scenario import scenarios

ALL = list(scenarios())
NAMES = [each.name for each in ALL]


def test_there_are_enough_of_them_each_with_a_name_of_its_own() -> None:
    assert len(ALL) >= 60
    assert [name for name, count in Counter(NAMES).items() if count > 1] == []


def test_each_fault_is_known_and_each_that_is_known_is_tried() -> None:
    assert {each.fault.fault for each in ALL} == set(FAULTS)


def test_every_place_of_the_design_is_struck() -> None:
    places = {each.place for each in ALL}
    assert places == {"ingress", "router", "responder", "kafka", "postgres", "slack", "model", "log", "everything"}


def test_an_excuse_names_a_check_and_says_why() -> None:
    for each in ALL:
        assert set(each.fault.excuses) <= set(INVARIANT_OF), each.name
        assert all(each.fault.excuses.values()), each.name


def test_every_check_of_the_answers_is_about_some_invariant() -> None:
    assert {check for checks in ANSWERS.values() for check in checks} == set(CHECKS)


def test_a_planted_bug_names_a_scenario_and_checks_that_exist() -> None:
    for name, bug in BUGS.items():
        assert bug.scenario in NAMES, name
        assert bug.checks <= {*INVARIANT_OF, "no acks", "no decisions", "no answers"}, name


def test_some_are_chosen_by_a_part_of_their_names_or_by_a_pattern() -> None:
    assert {each.place for each in scenarios("router: ")} == {"router"}
    assert {each.moment for each in scenarios("*, starting")} == {"starting"}
    assert list(scenarios("nothing of the kind")) == []


def test_what_people_say_is_the_same_for_each_seed() -> None:
    one, again, another = (scenario.chance(seed) for scenario, seed in ((ALL[0], 7), (ALL[0], 7), (ALL[0], 8)))
    first, second, third = (list(islice(sayings(chance), 50)) for chance in (one, again, another))
    assert first == second != third
    assert [each.kind for each in first[: len(FIRST)]] == list(FIRST)


def test_a_file_that_says_what_nobody_knows_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "strange.yaml"
    file.write_text("place: router\nfaults:\n  - {fault: kill, moments: [sometime], goes_on: [acks]}\n", "utf-8")
    with pytest.raises(ValidationError, match="moments"):
        list(scenarios(folder=tmp_path))


def test_the_page_is_made_from_what_is_kept() -> None:
    assert reliability_page.PAGE.read_text("utf-8") == reliability_page.page(), "./dev chaos --write-docs makes it anew"


def test_the_page_tells_of_every_scenario_and_of_every_bug() -> None:
    text = reliability_page.page()
    for each in ALL:
        assert f"| {each.fault.named or each.fault.fault} | {each.moment} |" in text, each.name
    for bug in BUGS.values():
        assert f"| {bug.service} | {bug.what} |" in text, bug.what
