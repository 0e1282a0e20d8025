"""What makes a model's name, a pattern, an emoji, a prompt and a tool valid, and what is said where they are not."""

import json
from string import Formatter
from typing import Any
from urllib.parse import urlsplit

import re2

PROVIDERS = ("openai", "anthropic", "ollama")
REHEARSAL = "rehearsal"
PLACEHOLDERS = ("text", "sender", "channel", "emoji")
LONGEST_PATTERN = 1000
LARGEST_ARGUMENTS = 16 << 10


def valid_model(name: str) -> str:
    """A model that a responder could ask."""
    provider, colon, model = name.partition(":")
    if name == REHEARSAL or (provider in PROVIDERS and colon and model.strip()):
        return name
    known = ", ".join(f"{each}:NAME" for each in PROVIDERS)
    raise ValueError(f"there is no such model; it is {REHEARSAL}, {known}")


def valid_pattern(pattern: str) -> str:
    """A regular expression that RE2 takes, so that no text can make it slow."""
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"it is longer than {LONGEST_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0] if error.args else error
        said = why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)
        raise ValueError(
            f"RE2 does not take it: {said} (look-around and back-references are not there, on purpose)"
        ) from None
    return pattern


def valid_emoji(name: str) -> str:
    """Slack's name of an emoji."""
    if not name or ":" in name or " " in name:
        raise ValueError("an emoji's name stands without colons and spaces, such as eyes")
    return name


def valid_prompt(prompt: str) -> str:
    """A template whose every placeholder is one that we fill in."""
    try:
        fields = [(name, form, how) for _, name, form, how in Formatter().parse(prompt) if name is not None]
    except ValueError as error:
        raise ValueError(f"{error}; a brace that is meant as one is written twice") from None
    for name, form, how in fields:
        if name not in PLACEHOLDERS or form or how:
            known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
            raise ValueError(f"{{{name}}} is nothing that is filled in; there are {known}")
    return prompt


def valid_url(url: str) -> str:
    """Where a tool is asked."""
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_whole = False
    if not is_whole or any(each.isspace() for each in url):
        raise ValueError("it must be a whole address, such as https://tools.example.com/refund")
    if "@" in urlsplit(url).netloc:
        raise ValueError("a secret has no place here: requests are signed (THREADLINE_TOOLS_KEY)")
    return url


def valid_arguments(schema: dict[str, Any]) -> dict[str, Any]:
    """What a tool wants to know, as models are told it."""
    if schema.get("type") != "object" or not isinstance(schema.get("properties", {}), dict):
        raise ValueError("it must be a JSON Schema of an object: `type: object`, and `properties`")
    if len(json.dumps(schema)) > LARGEST_ARGUMENTS:
        raise ValueError(f"it is larger than {LARGEST_ARGUMENTS >> 10} KiB")
    return schema
