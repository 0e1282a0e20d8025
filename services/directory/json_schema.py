"""The JSON Schema of `directory.yaml`: editors complete and check with it."""

import json

from services.directory.document import Document


def json_schema() -> str:
    """The schema, as text that is always the same."""
    schema = Document.model_json_schema(mode="validation")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Threadline's directory.yaml",
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
