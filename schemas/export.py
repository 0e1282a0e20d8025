"""The contracts for those who do not read Python: a JSON Schema for each event type, and one AsyncAPI 3 document."""

import json
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from schemas.attributes import CONTENT_TYPE, SPEC_VERSION
from schemas.base import Event
from schemas.topics import TOPICS, Topic, name_of

Json = dict[str, Any]

_DIALECT = GenerateJsonSchema.schema_dialect


def files(version: str) -> dict[str, str]:
    """Every exported file by its path below `schemas/exported`."""
    found = {path_of(topic, name): _text(schema_of(event)) for topic in TOPICS for name, event in topic.types.items()}
    return {**found, "asyncapi.json": _text(asyncapi(version))}


def path_of(topic: Topic, event_name: str) -> str:
    """Where an event type's JSON Schema stands."""
    return f"{topic.name}/{event_name}.schema.json"


def schema_of(event: type[Event]) -> Json:
    """An event type as JSON Schema: what a writer may write."""
    schema = TypeAdapter(event).json_schema(mode="validation")
    # A type that is left out is read by its default, but a writer always says it: unions are told apart by it.
    schema["required"] = ["type", *schema.get("required", [])]
    return {"$schema": _DIALECT, **schema}


def asyncapi(version: str) -> Json:
    """All topics, with who writes and who reads them."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Threadline",
            "version": version,
            "description": "The topics of Threadline. Records are CloudEvents in binary mode: the value is the data.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {
            f"{action}.{service.replace(' ', '_')}.{topic.name}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "summary": f"{service} {verb} {topic.name}",
            }
            for topic in TOPICS
            for action, verb, services in (
                ("send", "writes", topic.written_by),
                ("receive", "reads", topic.read_by),
            )
            for service in services
        },
        "components": {"messageTraits": {"record": {"headers": _headers()}}},
    }


def _channel(topic: Topic) -> Json:
    return {
        "address": topic.name,
        "description": topic.purpose,
        "messages": {
            name: {
                "name": name,
                "summary": (event.__doc__ or "").splitlines()[0],
                "contentType": CONTENT_TYPE,
                "traits": [{"$ref": "#/components/messageTraits/record"}],
                "payload": {
                    "schemaFormat": "application/schema+json;version=draft-2020-12",
                    "schema": {"$ref": f"./{path_of(topic, name)}"},
                },
                "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}}},
            }
            for name, event in topic.types.items()
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {
                    "cleanup.policy": [topic.cleanup],
                    "retention.ms": int(topic.retention.total_seconds() * 1000),
                },
            }
        },
    }


def _headers() -> Json:
    text: Json = {"type": "string"}
    return {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time"],
        "properties": {
            "ce_specversion": {"type": "string", "const": SPEC_VERSION},
            "ce_id": {**text, "description": "The record's id. A repeat has the same."},
            "ce_type": {**text, "enum": [name_of(event) for topic in TOPICS for event in topic.events]},
            "ce_source": {**text, "description": "The service that wrote it."},
            "ce_time": {**text, "format": "date-time", "description": "When it happened."},
            "content-type": {"type": "string", "const": CONTENT_TYPE},
            "traceparent": {**text, "description": "W3C trace context."},
            "tracestate": text,
        },
    }


def _text(document: Json) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
