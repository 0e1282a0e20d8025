"""Every command in the docs is one that there is, and is run by a test or marked why not."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from bench.__main__ import SUITES
from services.directory.check import check
from services.kit.settings import environment_name
from threadline.catalogue import SETTINGS
from threadline.command_line import application
from threadline_agent.settings import VARIABLES as OF_AGENTS

ROOT = Path(__file__).parents[2]
PLACES = ("*.md", "docs/**/*.md", "schemas/**/*.md", "sdk/*.md", "examples/*.md")
PAGES = sorted(page for place in PLACES for page in ROOT.glob(place))

RUN_BY = {
    "./dev up": "tests/docs/test_dev.py::test_up_starts_the_stack_and_ctrl_c_stops_it",
    "./dev test": "tests/docs/test_dev.py::test_arguments_of_test_go_to_pytest",
    "./dev check": "CI runs it",
    "./dev ci": "CI is it",
    "./dev chaos": "tests/chaos/test_scenarios.py::test_it_holds",
    "./dev compose": "not run: it needs a Docker engine, which takes some minutes; it is run by hand",
    "./dev wheel": "tests/ops/test_deploy.py::test_a_release_is_brought_here_and_one_that_is_ill_is_taken_back",
    "./dev fmt": "not run: it rewrites the tree that it stands in",
    "threadline up": "tests/local/test_up.py::test_somebody_asks_and_is_answered_whatever_dies",
    "threadline demo": "tests/local/test_demo.py::test_every_claim_holds",
    "threadline local start": "tests/local/test_stack.py::test_kill_9_of_broker_and_database_keeps_their_data",
    "threadline local status": "tests/local/test_stack.py::test_a_second_start_finds_the_first",
    "threadline local env": "tests/local/test_stack.py::test_other_programs_are_told_the_addresses",
    "threadline local stop": "tests/local/test_stack.py::test_stop_where_nothing_runs_is_no_error",
    "threadline directory check": "tests/directory/test_commands.py::test_a_directory_from_nothing_to_its_history",
    "threadline directory apply": "tests/directory/test_commands.py::test_a_directory_from_nothing_to_its_history",
    "threadline directory show": "tests/directory/test_commands.py::test_a_directory_from_nothing_to_its_history",
    "threadline directory revisions": "tests/directory/test_commands.py::test_a_directory_from_nothing_to_its_history",
    "threadline directory export": "tests/directory/test_commands.py::test_a_directory_from_nothing_to_its_history",
    "threadline directory forget": "tests/directory/test_commands.py::test_a_directory_from_nothing_to_its_history",
    "threadline directory migrate": "tests/directory/test_commands.py::test_migrating_forward_and_back",
    "threadline token create": "tests/directory/test_commands.py::test_tokens_from_their_making_to_their_end",
    "threadline token list": "tests/directory/test_commands.py::test_tokens_from_their_making_to_their_end",
    "threadline token rotate": "tests/directory/test_commands.py::test_tokens_from_their_making_to_their_end",
    "threadline token revoke": "tests/directory/test_commands.py::test_tokens_from_their_making_to_their_end",
    "threadline secrets gateway": "tests/directory/test_commands.py::test_the_gateway_of_secrets_and_putting_one_in",
    "threadline secrets put": "tests/directory/test_commands.py::test_the_gateway_of_secrets_and_putting_one_in",
    "threadline secrets tools-key": "tests/directory/test_commands.py::test_each_tenants_tools_have_a_key",
    "threadline secrets new-key": "tests/directory/test_commands.py::test_resealing_and_new_keys",
    "threadline secrets reseal": "tests/directory/test_commands.py::test_resealing_and_new_keys",
    "threadline slack-sim": "tests/slack_sim/test_command.py::test_it_prints_tokens_that_work_and_leaves_on_ctrl_c",
    "threadline ingress": "tests/ingress/test_commands.py::test_it_runs_as_people_start_it",
    "threadline ingress spools": "tests/ingress/test_commands.py::test_a_spool_that_was_left_behind_is_adopted",
    "threadline ingress adopt": "tests/ingress/test_commands.py::test_a_spool_that_was_left_behind_is_adopted",
    "threadline ingress tail": "tests/ingress/test_tail.py::test_what_is_only_observed_is_read_where_it_is_published",
    "threadline ingress compare": "tests/ingress/test_compare.py::test_every_kind_of_difference_is_told",
    "threadline router": "tests/router/test_commands.py::test_it_runs_as_people_start_it",
    "threadline supervisor open": "tests/supervisor/test_page.py::test_a_code_is_good_once",
    "threadline responder": "tests/responder/test_commands.py::test_it_runs_as_people_start_it",
    "threadline supervisor": "tests/supervisor/test_commands.py::test_it_runs_as_people_start_it",
    "threadline supervisor rebuild": "tests/supervisor/test_reports.py::"
    "test_the_tables_are_made_anew_from_the_topic_and_are_the_same",
    "threadline agent emit": "tests/sdk/test_emit.py::test_the_command_of_threadline_is_the_same",
    "threadline rules test": "tests/router/test_commands.py::test_rules_are_tried_out_on_a_text",
    "threadline dlq list": "tests/router/test_commands.py::"
    "test_poison_is_kept_byte_for_byte_its_neighbours_are_not_harmed_and_it_can_be_replayed",
    "threadline dlq show": "tests/router/test_commands.py::"
    "test_poison_is_kept_byte_for_byte_its_neighbours_are_not_harmed_and_it_can_be_replayed",
    "threadline dlq replay": "tests/router/test_commands.py::"
    "test_poison_is_kept_byte_for_byte_its_neighbours_are_not_harmed_and_it_can_be_replayed",
    "threadline dlq drop": "tests/router/test_commands.py::"
    "test_poison_is_kept_byte_for_byte_its_neighbours_are_not_harmed_and_it_can_be_replayed",
    "threadline dlq resume": "tests/router/test_commands.py::"
    "test_a_flood_of_poison_pauses_its_partition_over_restarts_until_an_operator_resumes",
    "threadline offsets show": "tests/router/test_commands.py::"
    "test_a_log_that_lost_events_is_not_read_until_the_loss_is_accepted",
    "threadline offsets accept-loss": "tests/router/test_commands.py::"
    "test_a_log_that_lost_events_is_not_read_until_the_loss_is_accepted",
    "threadline why": "tests/report/test_why.py::test_the_run_its_message_and_its_reply_have_the_same_receipt",
    "threadline replay": "tests/router/test_replay.py::test_under_the_same_directory_nothing_is_otherwise",
    "threadline report export": "tests/report/test_log.py::test_a_log_is_exported_and_imported_as_people_do_it",
    "threadline report baseline": "tests/report/test_baseline.py::test_every_source_gives_the_same_bytes",
    "threadline report drift": "tests/report/test_drift.py::test_a_drift_that_was_planted_is_found",
    "threadline report refresh": "tests/report/test_refresh.py::test_all_reports_are_made_anew_and_compared",
    "threadline report isolation": "tests/report/test_isolation.py::test_a_violation_that_was_planted_is_found",
    "threadline report import": "tests/report/test_log.py::test_a_log_is_exported_and_imported_as_people_do_it",
    "threadline backup create": "tests/ops/test_backup.py::test_all_of_it_is_the_same_after_a_wipe_and_work_goes_on",
    "threadline backup check": "tests/ops/test_backup.py::test_all_of_it_is_the_same_after_a_wipe_and_work_goes_on",
    "threadline backup restore": "tests/ops/test_backup.py::test_all_of_it_is_the_same_after_a_wipe_and_work_goes_on",
    "threadline doctor": "tests/directory/test_doctor.py::test_all_is_well",
    "threadline topics check": "tests/local/test_stack.py::test_commands_find_the_broker_that_runs_here",
    "threadline topics apply": "tests/local/test_stack.py::test_a_topic_that_differs_is_told_and_can_be_mended_"
    "and_keeps_nothing_from_starting",
}


def commands() -> Iterator[tuple[str, str]]:
    """Page and line of every command in a block of shell."""
    for page in PAGES:
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                if line.strip() and not line.startswith("#"):
                    yield str(page.relative_to(ROOT)), line


def plain(line: str) -> list[str]:
    """A command's words, without variables before it or an eval around it."""
    words = shlex.split(re.sub(r'^eval "\$\((.*)\)"$', r"\1", line))
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    return words


def _is_group(words: list[str]) -> bool:
    """Whether what stands behind the first word names a group of commands, and no command."""
    whole: Any = get_command(application)
    return words[0] == "threadline" and hasattr(whole.get_command(typer.Context(whole), words[1]), "get_command")


@pytest.mark.parametrize(("page", "line"), list(commands()))
def test_a_command_exists_and_some_test_runs_it(page: str, line: str) -> None:
    words = plain(line)
    if words[0] == "export":
        return
    assert words[0] in {"./dev", "threadline"}, f"{page}: {line}: neither run by a test nor known"
    name = " ".join(takewhile(lambda word: not word.startswith("-"), words[: 3 if _is_group(words) else 2]))
    assert name in RUN_BY, f"{page}: {line}: no test is named that runs it"
    if words[0] == "threadline":
        _must_parse(words[1:])
    elif words[1] in {"bench", "chaos"}:
        assert words[2] in {suite.name for suite in SUITES if suite.kind == words[1]}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_directory_in_the_pages_is_a_sound_one(page: Path) -> None:
    for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        checked = check(block)
        assert (checked.problems, checked.hints) == ((), ())


@pytest.mark.parametrize("test", sorted({test for test in RUN_BY.values() if "::" in test}))
def test_the_tests_that_are_named_exist(test: str) -> None:
    path, name = test.split("::")
    assert f"def {name}(" in (ROOT / path).read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_settings_that_the_pages_name_exist() -> None:
    bed = {"THREADLINE_TEST_KAFKA_BROKERS", "THREADLINE_TEST_DATABASE_URL"}
    known = {environment_name(name, field) for kind in SETTINGS for name, field in kind.model_fields.items()}
    known |= set(OF_AGENTS)
    for page in PAGES:
        for name in re.findall(r"\bTHREADLINE_[A-Z_]+[A-Z]", page.read_text("utf-8")):
            assert name in known | bed | {"THREADLINE_CONFIG"}, f"{page.name}: {name}"


def test_no_page_names_a_folder_of_somebodys_machine() -> None:
    for page in PAGES:
        assert not re.search(r"(^|[\s`\"(])/(root|home|Users|work)/", page.read_text("utf-8")), page.name


def _must_parse(words: list[str]) -> None:
    command: Any = get_command(application)
    while words and not words[0].startswith("-") and hasattr(command, "get_command"):
        found = command.get_command(typer.Context(command), words[0])
        assert found is not None, words[0]
        command = found
        words.pop(0)
    known = {option for parameter in command.params for option in parameter.opts}
    for word in words:
        if word.startswith("-"):
            assert word.split("=")[0] in known, word
