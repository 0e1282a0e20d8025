from pathlib import Path

import pytest
from pydantic import SecretStr

from services.kit.groups import DatabaseSettings, HttpSettings, KafkaSettings, LogSettings, SlackSettings
from services.kit.settings import WrongSettings, load, strangers
from threadline.catalogue import SETTINGS


class Everything(KafkaSettings, SlackSettings, HttpSettings, LogSettings, DatabaseSettings):
    pass


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THREADLINE_CONFIG")


def test_the_environment_comes_before_the_file_and_the_file_before_the_fallback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "threadline.toml").write_text('kafka_brokers = "file:1"\ntopic_prefix = "file."\n')
    monkeypatch.setenv("THREADLINE_KAFKA_BROKERS", "env:1")
    settings = load(KafkaSettings, {"kafka_brokers": "fallback:1", "topic_prefix": "fallback.", "topic_partitions": 4})
    assert (settings.kafka_brokers, settings.topic_prefix, settings.topic_partitions) == ("env:1", "file.", 4)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("SLACK_BOT_TOKEN", "slack_bot_token"),
        ("SLACK_APP_TOKEN", "slack_app_token"),
        ("SLACK_SIGNING_SECRET", "slack_signing_secret"),
        ("SLACK_APP_ID", "slack_app_id"),
        ("SLACK_CLIENT_ID", "slack_client_id"),
        ("SLACK_CLIENT_SECRET", "slack_client_secret"),
        ("SLACK_API_URL", "slack_api_url"),
        ("DATABASE_URL", "database_url"),
        ("OPENAI_API_KEY", "openai_api_key"),
        ("OPENAI_BASE_URL", "openai_base_url"),
        ("ANTHROPIC_API_KEY", "anthropic_api_key"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "otlp_endpoint"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "otlp_traces_endpoint"),
    ],
)
def test_names_that_people_know_are_honoured_as_they_are(
    name: str, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "value-1")
    group = next(kind for kind in SETTINGS if field in kind.model_fields)
    value = getattr(load(group), field)
    assert (value.get_secret_value() if isinstance(value, SecretStr) else value) == "value-1"


def test_the_file_takes_known_names_by_their_field(tmp_path: Path) -> None:
    (tmp_path / "threadline.toml").write_text('slack_bot_token = "xoxb-1"\n')
    token = load(SlackSettings).slack_bot_token
    assert token is not None
    assert token.get_secret_value() == "xoxb-1"


def test_every_wrong_value_is_reported_at_once_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADLINE_HTTP_PORT", "eighty")
    monkeypatch.setenv("THREADLINE_LOG_FORMAT", "yaml")
    monkeypatch.setenv("THREADLINE_TOPIC_PARTITIONS", "0")
    with pytest.raises(WrongSettings) as wrong:
        load(Everything)
    assert {problem.split(":")[0] for problem in wrong.value.problems} == {
        "THREADLINE_TOPIC_PARTITIONS",
        "THREADLINE_HTTP_PORT",
        "THREADLINE_LOG_FORMAT",
    }
    assert "'eighty'" in str(wrong.value)


def test_what_belongs_together_is_asked_for_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADLINE_KAFKA_SECURITY", "SASL_SSL")
    with pytest.raises(WrongSettings, match="THREADLINE_KAFKA_USERNAME, THREADLINE_KAFKA_PASSWORD: needed with"):
        load(KafkaSettings)


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADLINE_KAFKA_PASSWORD", "hunter2-hunter2")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret-1")
    monkeypatch.setenv("THREADLINE_KAFKA_SECURITY", "WRONG")
    with pytest.raises(WrongSettings) as wrong:
        load(Everything)
    monkeypatch.delenv("THREADLINE_KAFKA_SECURITY")
    settings = load(Everything)
    for shown in (str(wrong.value), repr(wrong.value), repr(settings), str(settings), settings.model_dump_json()):
        assert "hunter2" not in shown
        assert "xoxb-secret" not in shown
    assert set(settings.secrets()) == {"hunter2-hunter2", "xoxb-secret-1"}


def test_a_secret_inside_an_open_value_is_hidden_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADLINE_LOG_LEVEL", "xoxb-oops-pasted-here")
    with pytest.raises(WrongSettings, match=r"THREADLINE_LOG_LEVEL.*\[redacted\]"):
        load(LogSettings)


def test_a_file_that_is_no_toml_and_one_that_is_not_there_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "threadline.toml").write_text("= nonsense")
    with pytest.raises(WrongSettings, match=r"threadline\.toml"):
        load(LogSettings)
    monkeypatch.setenv("THREADLINE_CONFIG", str(tmp_path / "missing.toml"))
    with pytest.raises(WrongSettings, match="THREADLINE_CONFIG"):
        load(LogSettings)


def test_an_empty_variable_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADLINE_HTTP_PORT", "")
    assert load(HttpSettings).http_port == 0


def test_what_the_code_says_comes_before_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADLINE_KAFKA_BROKERS", "env:1")
    monkeypatch.setenv("SLACK_APP_ID", "AENV")
    assert KafkaSettings(kafka_brokers="code:1").kafka_brokers == "code:1"
    assert SlackSettings.model_validate({"slack_app_id": "ACODE"}).slack_app_id == "ACODE"


def test_a_misspelt_name_in_the_file_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "threadline.toml").write_text('kafka_brokrs = "a:1"\nkafka_brokers = "a:1"\n')
    assert strangers(SETTINGS) == ["kafka_brokrs in threadline.toml"]


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "threadline.toml").write_bytes(b'topic_prefix = "\xff"')
    with pytest.raises(WrongSettings, match=r"threadline\.toml"):
        load(LogSettings)


def test_a_misspelt_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADLINE_KAFKA_BROKER", "a:1")
    monkeypatch.setenv("THREADLINE_KAFKA_BROKERS", "a:1")
    assert strangers(SETTINGS) == ["THREADLINE_KAFKA_BROKER"]


def test_every_setting_says_what_it_is() -> None:
    for group in SETTINGS:
        for name, field in group.model_fields.items():
            assert field.description, f"{group.__name__}.{name}"
