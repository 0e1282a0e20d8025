"""`./dev bench pipeline` in miniature: both ways answer, every figure is there, and the page says what is kept."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bench import performance_page
from bench.beds import redis, sides
from bench.beds.router import describe
from bench.beds.sides import Ground, Side
from bench.beds.stamps import Load
from bench.beds.traffic import Traffic
from bench.pipeline_figures import BURST, CROWDS, RATES, SERVICES, SLOW, judge
from bench.suite import Measured
from bench.suites.pipeline import Run
from services.kit.groups import DatabaseSettings, KafkaSettings

FEW = Load(per_second=20, count=10, workspaces=5, words=5, within_s=60)


async def test_both_ways_answer_and_every_figure_is_there(
    topics: KafkaSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    if redis.program() is None:
        pytest.skip(f"redis-server is not installed: {redis.HOW_TO_GET_IT}")
    await describe(database, Traffic(7, workspaces=FEW.workspaces).document())
    async with AsyncExitStack() as stack:
        there: dict[str, Side] = {
            "threadline": await stack.enter_async_context(sides.threadline(Ground(topics, database), tmp_path)),
            "usual": await stack.enter_async_context(sides.usual(tmp_path)),
        }
        running = Run(0, there)
        await running.weighed(f"{RATES[0]}/s", FEW)
    samples = running.raw[f"usual {RATES[0]}/s"]
    assert {len(found) for found in samples.values()} == {FEW.count}
    found = {name: value for name, value in running.figures.items() if name.startswith(("threadline cpu", "usual cpu"))}
    assert set(found) == {f"threadline cpu {part}" for part in ("ingress", "router", "responder")} | {
        f"usual cpu {part}" for part in ("bolt", "celery", "redis")
    }
    assert all(value > 0 for name, value in running.figures.items() if " model " in name or " rss " in name)


def test_without_the_usual_way_ours_stands_alone() -> None:
    loads = [*(f"{rate}/s" for rate in RATES), SLOW, BURST, f"{BURST}, two", *(f"{each} workspaces" for each in CROWDS)]
    kinds = ("ack", "model", "message", "end", "late")
    figures = {
        f"threadline {load} {kind} {percent}": 1.0 for load in loads for kind in kinds for percent in ("p50", "p99")
    }
    figures |= {f"threadline {load} {what}": 1.0 for load in loads for what in ("per second", "slack cpu")}
    figures |= {f"threadline {what} {part}": 1.0 for what in ("rss", "pss", "cpu", "idle") for part in SERVICES}
    found = judge([Measured(figures)])
    assert [figure.peer for figure in found if figure.peer] == []
    assert [figure.name for figure in found if not figure.values] == []


def test_the_page_is_made_from_what_is_kept() -> None:
    assert performance_page.PAGE.read_text("utf-8") == performance_page.page(), "./dev bench --write-docs makes it anew"
