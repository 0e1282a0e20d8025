"""The test bed itself: runs of pytest with a few planted tests, in one process and in two."""

import subprocess
import sys
from pathlib import Path

import pytest

from services.kit.settings import child_environment

ROOT = Path(__file__).parents[2]

FINE = "def test_fine(): pass"
ONE_IS_SKIPPED = "import pytest\ndef test_that_cannot(): pytest.skip('no such thing')"
ALL_ARE_SKIPPED = "import pytest\npytest.skip('no such thing', allow_module_level=True)"
SHARES_A_FIXTURE = """
import os, pathlib, pytest
@pytest.fixture(scope="module")
def made(brokers): return pathlib.Path(f"{__file__}.{os.getpid()}").touch()
@pytest.mark.parametrize("number", range(8))
def test_that_shares(made, number): pass
"""


def run(folder: Path, modules: list[str], *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    for number, text in enumerate(modules):
        (folder / f"test_planted_{number}.py").write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-p", "tests.conftest", *arguments, str(folder)],
        cwd=ROOT,
        env=child_environment(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.mark.parametrize("processes", ["-n0", "-n2"])
@pytest.mark.parametrize(
    ("planted", "closing"),
    [(ONE_IS_SKIPPED, "1 failed, 1 passed in "), (ALL_ARE_SKIPPED, "1 passed, 1 skipped in ")],
    ids=["a test", "a module"],
)
def test_a_run_in_which_nothing_may_be_skipped_fails_if_something_is(
    tmp_path: Path, planted: str, closing: str, processes: str
) -> None:
    done = run(tmp_path, [FINE, planted], processes, THREADLINE_TEST_NOTHING_SKIPPED="1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "no such thing" in done.stdout
    assert closing in done.stdout.splitlines()[-1]


def test_a_module_stays_in_one_worker_and_what_workers_used_is_told_before_the_closing_line(tmp_path: Path) -> None:
    done = run(tmp_path, [SHARES_A_FIXTURE] * 2, "-n2", THREADLINE_TEST_KAFKA_BROKERS="127.0.0.1:9")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [len(list(tmp_path.glob(f"test_planted_{number}.py.*"))) for number in range(2)] == [1, 1]
    *_, told, closing = done.stdout.splitlines()
    assert told == "broker: the given one at 127.0.0.1:9"
    assert "16 passed in " in closing
