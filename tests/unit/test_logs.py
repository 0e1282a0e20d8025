import io
import json
import logging
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider

from services.kit import logs
from services.kit.groups import LogSettings
from tests.hands import Hands

log = logging.getLogger("test.logs")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """A place to log to, with logging put back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = before
    root.setLevel(level)


def test_a_line_for_machines_carries_the_runs_names_and_the_trace(stream: io.StringIO) -> None:
    logs.set_up("router", LogSettings(log_format="json"), stream=stream)
    span = TracerProvider(shutdown_on_exit=False).get_tracer("t").start_as_current_span("s")
    with logs.bound(run_id="run-1"), logs.bound(tenant_id="acme"), span as current:
        log.info("decided %s", "it", extra={"offset": 7})
    log.info("outside")
    inside, outside = (json.loads(line) for line in stream.getvalue().splitlines())
    assert inside["message"] == "decided it"
    assert (inside["run_id"], inside["tenant_id"], inside["offset"]) == ("run-1", "acme", 7)
    assert inside["trace_id"] == f"{current.get_span_context().trace_id:032x}"
    assert (inside["service"], inside["level"]) == ("router", "info")
    assert "run_id" not in outside


def test_a_line_for_people_is_short_and_says_the_same(stream: io.StringIO) -> None:
    logs.set_up("router", LogSettings(log_format="human"), stream=stream)
    with logs.bound(run_id="run-1"):
        log.warning("slow")
    assert stream.getvalue().rstrip().endswith("WARNING test.logs: slow run_id=run-1")


@pytest.mark.parametrize("form", ["json", "human"])
def test_no_secret_in_a_message_a_fact_or_a_traceback(form: str, stream: io.StringIO) -> None:
    logs.set_up("router", LogSettings(log_format=form), ["hunter2-hunter2"], stream)
    try:
        raise ValueError(  # noqa: TRY301 - a traceback is what is tried here
            "the token xoxb-1-2-abc and hunter2-hunter2"
        )
    except ValueError:
        log.exception("failed with %s", "xapp-1-A-2", extra={"header": "Bearer abcdefgh12345"})
    text = stream.getvalue()
    assert "Traceback" in text
    for secret in ("xoxb-1", "hunter2", "xapp-1", "abcdefgh12345"):
        assert secret not in text


def test_libraries_chatter_is_left_out(stream: io.StringIO) -> None:
    logs.set_up("router", LogSettings(log_level="DEBUG"), stream=stream)
    logging.getLogger("aiokafka.producer").debug("a record for every send")
    assert stream.getvalue() == ""


def test_what_a_library_says_again_and_again_is_said_once_in_a_while(stream: io.StringIO) -> None:
    logs.set_up("router", LogSettings(), stream=stream)
    for _ in range(500):
        logging.getLogger("aiokafka.conn").error("Unable connect to %s", "127.0.0.1:9")
        log.error("ours is always said")
    assert stream.getvalue().count("Unable connect") == 1
    assert stream.getvalue().count("ours is always said") == 500


def test_what_was_held_back_is_counted_on_the_next_line() -> None:
    clock = Hands()
    repeats = logs.Repeats(clock)
    record = logging.makeLogRecord({"name": "aiokafka.conn", "msg": "away"})
    assert [repeats.filter(record) for _ in range(3)] == [True, False, False]
    clock.monotonic_s += logs.QUIET_S
    assert repeats.filter(record)
    assert vars(record)["repeated"] == 2


def test_a_secret_deep_in_a_fact_is_hidden_and_the_line_stays_json(stream: io.StringIO) -> None:
    secret = 'quote" and back\\slash'
    logs.set_up("router", LogSettings(log_format="json"), [secret], stream)
    log.info("look", extra={"deep": {"a": [secret, {"b": "https://hooks.slack.com/actions/T1/2/abc"}]}})
    line = json.loads(stream.getvalue())
    assert line["deep"] == {"a": ["[redacted]", {"b": "[redacted]"}]}


def test_a_level_above_warning_holds_for_libraries_too(stream: io.StringIO) -> None:
    logs.set_up("router", LogSettings(log_level="ERROR"), stream=stream)
    logging.getLogger("aiokafka.conn").warning("away")
    assert stream.getvalue() == ""
