"""Each alert fires and stays silent when it should, has a page, and is about metrics that there are."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.ops.alerts import (
    CASES,
    KNOWN,
    PROMETHEUS,
    ROOT,
    RULES,
    Alert,
    Selector,
    alerts,
    cases,
    grouped,
    labels_of,
    may_be,
    metrics_in,
    read,
    recorded,
    rules,
    selectors,
)

RUNBOOKS = ROOT / "docs/runbooks"
ALERTS = alerts()
each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)


def promtool(*arguments: str) -> str:
    """What it says, of rules that are sound."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("the alerts are tried with promtool, and it is not here: `apt-get install prometheus`")
    done = subprocess.run(
        [program, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_the_rules_are_sound(path: Path) -> None:
    assert "SUCCESS" in promtool("check", "rules", "--lint-fatal", str(path))


@pytest.mark.parametrize("name", ["prometheus.yaml", "one-machine.yaml"])
def test_a_sample_is_sound_and_loads_every_rule(name: str) -> None:
    said = promtool("check", "config", name)
    assert f"SUCCESS: {len(RULES)} rule files found" in said


def test_the_jobs_of_the_sample_are_those_that_are_watched() -> None:
    watched = next(alert for alert in ALERTS if alert.name == "TargetDown")
    (pattern,) = (value for each in selectors(watched.expr) for label, value in each.values if label == "job")
    jobs = [job["job_name"] for job in read(PROMETHEUS / "prometheus.yaml")["scrape_configs"]]
    assert jobs
    assert all(re.fullmatch(pattern, job) for job in jobs)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_every_case_is_as_it_says(path: Path) -> None:
    assert "SUCCESS" in promtool("test", "rules", str(path))


def test_each_file_of_rules_has_its_cases() -> None:
    assert [path.stem for path in RULES] == [path.name.removesuffix(".test.yaml") for path in CASES]
    for path in CASES:
        assert [Path(each).name for each in read(path)["rule_files"]] == [path.name.replace(".test", "")]


def test_no_alert_is_there_twice() -> None:
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)


@each_alert
def test_an_alert_has_a_case_in_which_it_fires_and_one_in_which_it_could_and_does_not(alert: Alert) -> None:
    mine = [case for case in cases() if case.alert == alert.name]
    assert any(case.fires for case in mine)
    silent = [{each.name for name in case.series for each in selectors(name)} for case in mine if not case.fires]
    assert any(metrics_in(alert.expr) <= there for there in silent), "silent only where series are missing"


@each_alert
def test_an_alert_says_who_must_act_and_where_that_is_explained(alert: Alert) -> None:
    assert alert.labels["severity"] in {"page", "ticket"}
    assert alert.labels["service"] in {"ingress", "router", "responder", "supervisor", "any"}
    assert alert.annotations.keys() == {"summary", "description", "runbook_url", "dashboard_url"}
    page = ROOT / alert.annotations["runbook_url"]
    assert page == RUNBOOKS / f"{alert.name}.md"
    text = page.read_text("utf-8")
    assert text.startswith(f"# {alert.name}\n")
    assert f"Severity `{alert.labels['severity']}`" in text


def test_each_page_is_about_an_alert_and_stands_in_the_index() -> None:
    pages = {page.stem for page in RUNBOOKS.glob("*.md")} - {"README"}
    assert pages == {alert.name for alert in ALERTS}
    index = (RUNBOOKS / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \|", index, re.MULTILINE)
    assert rows == [(alert.name, alert.name, alert.labels["severity"]) for alert in in_order_of(rows)]


def in_order_of(rows: list[tuple[str, str, str]]) -> list[Alert]:
    """The alerts as the index has them, and behind them those that it lacks."""
    place = {name: number for number, (name, _, _) in enumerate(rows)}
    return sorted(ALERTS, key=lambda alert: place.get(alert.name, len(rows)))


EXPRESSIONS = {each.get("alert") or each["record"]: each["expr"] for each in rules()}


@pytest.mark.parametrize("expr", EXPRESSIONS.values(), ids=EXPRESSIONS.keys())
def test_an_expression_is_about_metrics_and_labels_that_there_are(expr: str) -> None:
    found = selectors(expr)
    assert found
    for each in found:
        assert each.name in KNOWN.keys() | recorded().keys() | {"up"}, each.name
        _must_be_sound(each)
    used = {label for name in metrics_in(expr) for label in labels_of(name)}
    assert grouped(expr) <= used


def test_the_series_of_the_cases_are_as_prometheus_shows_them() -> None:
    for case in cases():
        for each in (found for name in case.series for found in selectors(name)):
            if not each.name.startswith("threadline"):
                continue
            assert {label for label, _ in each.values} == labels_of(each.name), each
            _must_be_sound(each)


def _must_be_sound(found: Selector) -> None:
    for label, value in found.values:
        assert label in labels_of(found.name), f"{found.name} has no label {label}"
        assert may_be(found.name, label, value), f"{found.name}: {label} is never {value}"
