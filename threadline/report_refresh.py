"""`threadline report refresh`: every report of a folder, made anew at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import typer

from services.kit.fault import Fault
from services.kit.files import write_whole
from services.report.adapters.baselines import NoBaseline, baseline_in
from services.report.adapters.shelf import shelf
from services.report.adapters.thresholds import thresholds
from services.report.decisions import composing
from services.report.decisions.baseline import Baseline
from services.report.decisions.drift_markdown import summary
from services.report.decisions.drifting import drift_of
from services.report.decisions.restricting import Only, models_of
from services.report.decisions.told import told_by
from threadline import report_baseline, report_drift
from threadline.report_baseline import LEFT_OUT
from threadline.reporting import LeftOut
from threadline.showing import interruptible, no_answer, say

ORIGINS: Final = ("channel", "gateway")


@dataclass(frozen=True)
class Drifting:
    """What is to be compared with what stood there."""

    wanted: bool
    thresholds: Path | None


def refresh(wanted: report_baseline.Wanted, out: Path, drifting: Drifting) -> None:
    """Makes them, compares each with the one before, and names what was not made anew."""
    with no_answer():
        made, left_out = _made(wanted)
        before = _before(out, list(made)) if drifting.wanted else {}
        worse = _compare(before, made, out, drifting) if drifting.wanted else 0
        _write(made, left_out, out)
    left_out.tell()
    typer.echo(f"{len(made)} reports stand in {out}: {', '.join(made)}")
    for name in _stale(out, made, left_out):
        say(f"stale: {out / name} stood there before and was not made anew; delete it if nobody needs it")
    if worse:
        raise typer.Exit(1)


def name_of(only: Only) -> str:
    """The folder of a report: every name of a model has one of its own."""
    return only.name if only.by == "origin" else f"model-{quote(only.name, safe='')}"


def _made(wanted: report_baseline.Wanted) -> tuple[dict[str, Baseline], LeftOut]:
    naming = report_baseline.naming_of(wanted)
    with interruptible("nothing was written"), shelf() as kept:
        gathered, left_out = report_baseline.gathered_by(wanted, kept)
        if gathered.last is None:
            raise Fault("there is no event in this stretch of the log; every report is as it was")
        told = told_by(gathered)
        each = [*(Only("origin", name) for name in ORIGINS), *(Only("model", name) for name in models_of(told))]
        made = {
            name_of(only): composing.composed(gathered, told, composing.Wanted(naming, wanted.window_s, only))
            for only in each
        }
    report_baseline.tell_of_key(naming)
    return made, left_out


def _before(out: Path, names: Sequence[str]) -> dict[str, Baseline]:
    """What stands there; all of it, or nothing is written over."""
    found = {}
    for name in names:
        path = out / name / "baseline.json"
        if not path.exists():
            say(f"{name}: there was no report before, so nothing to compare with")
            continue
        try:
            found[name] = baseline_in(path)
        except NoBaseline as error:
            raise NoBaseline(
                f"{error}. Every report is as it was; move it away, or leave --drift out, to make them anew"
            ) from error
    return found


def _compare(before: dict[str, Baseline], made: dict[str, Baseline], out: Path, drifting: Drifting) -> int:
    limits, worse = thresholds(drifting.thresholds), 0
    for name, was in before.items():
        now = made[name]
        found = drift_of(was, now, limits)
        if now.log.last is not None:
            written = report_drift.write(found, now.log.last, out / name, list(report_drift.FORMS))
            typer.echo(f"{name}: {summary(found)} {written[0]}")
        worse += found.worse
    return worse


def _write(made: dict[str, Baseline], left_out: LeftOut, out: Path) -> None:
    texts = {
        out / name / f"baseline.{form}": text(report)
        for name, report in made.items()
        for form, text in report_baseline.FORMS.items()
    }
    try:
        with interruptible("each report is whole: as it was, or made anew; the command makes the rest"):
            for path, text in texts.items():
                write_whole(path, text.encode())
            left_out.write(out / LEFT_OUT)
    except OSError as error:
        raise Fault(
            f"{error.filename} cannot be written ({error.strerror}); each file is whole: as it was, or made anew"
        ) from error


def _stale(out: Path, made: dict[str, Baseline], left_out: LeftOut) -> list[str]:
    """Reports that a refresh wrote once and this one did not, as where a model is used no more."""
    ours = [each for each in out.iterdir() if each.name in ORIGINS or each.name.startswith("model-")]
    found = [each.name for each in ours if each.name not in made and any(each.glob("baseline.*"))]
    found += [LEFT_OUT] if not left_out.counts and (out / LEFT_OUT).exists() else []
    return sorted(found)
