"""Real processes, real signals, real sockets."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiohttp import web

from services.kit.http import served
from services.kit.settings import child_environment

PATIENCE_S = 60.0
"""A process takes seconds to start where the machine is busy. The limits that are tried stand in the worker."""


@contextmanager
def worker(what: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.kit.worker", what],
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment({"THREADLINE_LOG_FORMAT": "json", **environment}),
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def address(child: "subprocess.Popen[str]") -> str:
    assert child.stderr is not None
    line = child.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found, line
    return found.group()


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # noqa: S310 - a page of the process under test
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_health_tells_alive_from_ready_and_why_and_metrics_are_served() -> None:
    with worker("wait") as child:
        base = address(child)
        status, body = get(f"{base}/health")
        assert (status, json.loads(body)) == (
            503,
            {"live": True, "ready": False, "reasons": {"broker": "the broker is away"}},
        )
        assert get(f"{base}/health/live") == (200, b'{"live": true}')
        status, body = get(f"{base}/metrics")
        assert status == 200
        assert b"process_resident_memory_bytes" in body


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_it_leave_in_order(number: signal.Signals) -> None:
    with worker("wait") as child:
        address(child)
        child.send_signal(number)
        _, errors = child.communicate(timeout=PATIENCE_S)
        assert child.returncode == 0
        assert "left in order" in errors


def test_a_second_signal_ends_it_at_once() -> None:
    with worker("deaf") as child:
        address(child)
        child.send_signal(signal.SIGTERM)
        assert child.stderr is not None
        assert "leaving" in child.stderr.readline()
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=PATIENCE_S) == -signal.SIGTERM


@pytest.mark.parametrize(("what", "says"), [("deaf", "is cut short"), ("stubborn", "the process ends without it")])
def test_work_that_does_not_leave_is_cut_short_and_the_process_ends_in_any_case(what: str, says: str) -> None:
    with worker(what) as child:
        address(child)
        child.send_signal(signal.SIGTERM)
        _, errors = child.communicate(timeout=PATIENCE_S)
        assert child.returncode == 1
        assert says in errors


def test_work_that_is_done_ends_the_process() -> None:
    with worker("done") as child:
        assert child.wait(timeout=PATIENCE_S) == 0


def test_what_nobody_foresaw_ends_it_with_a_code_and_a_clean_log() -> None:
    with worker("fail") as child:
        _, errors = child.communicate(timeout=PATIENCE_S)
        assert child.returncode == 1
        assert "RuntimeError" in errors
        assert "xoxb-1-2" not in errors


def test_a_port_that_is_taken_is_named_with_what_to_do() -> None:
    with worker("wait") as first:
        port = address(first).rsplit(":", 1)[1]
        with worker("wait", THREADLINE_HTTP_PORT=port) as second:
            _, errors = second.communicate(timeout=PATIENCE_S)
            assert second.returncode == 1
            assert f"cannot listen on 127.0.0.1:{port}" in errors
            assert "THREADLINE_HTTP_PORT" in errors
            assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("variable", "path"),
    [("OTEL_EXPORTER_OTLP_ENDPOINT", "/v1/traces"), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/elsewhere")],
)
async def test_traces_go_where_opentelemetrys_own_variables_say(variable: str, path: str) -> None:
    received: list[tuple[str, bytes]] = []

    async def receive(request: web.Request) -> web.Response:
        received.append((request.path, await request.read()))
        return web.Response()

    collector = web.Application()
    collector.router.add_post("/{path:.*}", receive)
    async with served(collector, "127.0.0.1", 0) as address:
        endpoint = str(address) if path == "/v1/traces" else f"{address}{path}"
        with worker("trace", **{variable: endpoint, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}) as child:
            assert await asyncio.to_thread(child.wait, PATIENCE_S) == 0
    assert [where for where, _ in received] == [path]
    assert b"a-span-of-the-worker" in received[0][1]
