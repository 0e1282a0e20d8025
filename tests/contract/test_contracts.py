"""The exported contracts, the fields that were agreed, and the promise to readers of old logs."""

import json
import shutil
from pathlib import Path

from schemas import history
from schemas.export import asyncapi, path_of
from schemas.reaction import ReactionMatch, ReactionSkip
from schemas.run import RunCancel, RunState
from schemas.topics import TOPICS, Cluster, settings_for


def test_the_agreed_fields_stand_under_their_names() -> None:
    assert "state" in RunState.model_fields
    assert {"source", "requested", "acknowledged", "latency_ms"} <= RunCancel.model_fields.keys()
    assert {"rule_name", "channel", "sender", "filter_summary"} <= ReactionMatch.model_fields.keys()
    assert {"reason", "candidate_count"} <= ReactionSkip.model_fields.keys()


def test_everything_that_was_ever_written_can_still_be_read() -> None:
    assert history.broken_promises() == []


def test_a_planted_break_of_a_released_version_is_caught(tmp_path: Path) -> None:
    shutil.copytree(history.RELEASED, tmp_path / "released")
    file = tmp_path / "released/0.1.0/audit.runs/run.state.schema.json"
    schema = json.loads(file.read_text())
    schema["properties"]["state"]["enum"].append("dreaming")
    schema["required"].remove("tenant_id")
    file.write_text(json.dumps(schema))
    example = tmp_path / "released/0.1.0/audit.runs/run.cancel.example.json"
    example.write_text(example.read_text().replace('"requested": true', '"requested": "never"'))
    (tmp_path / "released/0.1.0/audit.runs/run.gone.schema.json").write_text("{}")
    found = "\n".join(history.broken_promises(tmp_path / "released"))
    assert "dreaming" in found
    assert "tenant_id: is demanded" in found
    assert "run.cancel.example.json: not a RunCancel: requested" in found
    assert "run.gone.schema.json: 0.1.0 wrote it" in found


def test_the_asyncapi_document_names_every_topic_and_its_messages() -> None:
    document = asyncapi("0.1.0")
    assert set(document["channels"]) == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        messages = document["channels"][topic.name]["messages"]
        assert {m["payload"]["schema"]["$ref"] for m in messages.values()} == {
            f"./{path_of(topic, name)}" for name in topic.types
        }


def test_each_event_type_belongs_to_one_topic() -> None:
    names = [name for topic in TOPICS for name in topic.types]
    assert len(names) == len(set(names))


def test_replicas_follow_the_brokers() -> None:
    alone, three, five = (settings_for(TOPICS[0], Cluster(brokers=n)) for n in (1, 3, 5))
    assert (alone.replication, dict(alone.config)["min.insync.replicas"]) == (1, "1")
    assert (three.replication, dict(three.config)["min.insync.replicas"]) == (3, "2")
    assert (five.replication, dict(five.config)["min.insync.replicas"]) == (3, "2")


def test_the_ledger_is_partitioned_with_the_commands_and_only_the_journal_is_compacted() -> None:
    by_name = {topic.name: topic for topic in TOPICS}
    assert by_name["slack.effects"].key == by_name["runs.commands"].key
    assert {topic.name for topic in TOPICS if topic.cleanup == "compact"} == {"router.journal"}
    settings = dict(settings_for(by_name["router.journal"], Cluster(brokers=1)).config)
    assert settings["cleanup.policy"] == "compact"
    assert settings["min.compaction.lag.ms"] == settings["delete.retention.ms"] == "3600000"
    assert "retention.ms" not in settings


def test_audit_topics_hold_no_text() -> None:
    assert not any(topic.holds_text for topic in TOPICS if topic.name.startswith("audit."))
