"""Settings: read once, at the start, from the environment and a file; every wrong one is reported at once, by name."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_args

from pydantic import AliasChoices, SecretBytes, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from services.kit.fault import Fault
from services.kit.redaction import Redactor

PREFIX = "THREADLINE_"
FILE_VARIABLE = "THREADLINE_CONFIG"
TEST_BED = "THREADLINE_TEST_"
"""Begins what only the tests are told."""
DEFAULT_FILE = Path("threadline.toml")


_fallback: ContextVar[Mapping[str, Any]] = ContextVar("_fallback", default=MappingProxyType({}))


class WrongSettings(Fault):
    """What is wrong with the settings, one line each, all of them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(BaseSettings):
    """A group of settings. A service's own settings inherit from the groups that it needs.

    A field `kafka_brokers` is THREADLINE_KAFKA_BROKERS in the environment and `kafka_brokers` in the file. A field with
    an alias keeps the name that people already know, such as SLACK_BOT_TOKEN.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
    )

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the code says comes first, then the environment, the file, what `load` falls back to, the defaults."""
        fallback = InitSettingsSource(settings_cls, init_kwargs=dict(_fallback.get()))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _file()), fallback

    def secrets(self) -> Iterator[str]:
        """The values that must never be shown."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, SecretStr):
                yield value.get_secret_value()


AnySettings = TypeVar("AnySettings", bound=Settings)


def load(kind: type[AnySettings], fallback: Mapping[str, Any] | None = None) -> AnySettings:
    """The settings of this process. `fallback` stands in where neither environment nor file say anything."""
    token = _fallback.set(fallback or {})
    try:
        return kind()
    except ValidationError as error:
        given = _given(kind)
        raise WrongSettings([_describe(kind, problem, given) for problem in error.errors(include_url=False)]) from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WrongSettings([f"{_file()}: {error}"]) from None
    finally:
        _fallback.reset(token)


def environment_name(name: str, field: FieldInfo) -> str:
    """What a setting is called in the environment."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        alias = alias.choices[0]
    return alias if isinstance(alias, str) else f"{PREFIX}{name.upper()}"


def variables_of(kind: type[Settings], name: str) -> list[str]:
    """Every name that a setting goes by in the environment."""
    field = kind.model_fields[name]
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return [choice for choice in alias.choices if isinstance(choice, str)]
    return [environment_name(name, field)]


def variable(name: str) -> str | None:
    """A variable that no group declares, since its name is made of another one's."""
    return os.environ.get(name)  # noqa: TID251 - the environment is read here


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting's value must never be shown."""
    kinds = (field.annotation, *get_args(field.annotation))
    return any(kind in (SecretStr, SecretBytes) for kind in kinds)


def strangers(kinds: tuple[type[Settings], ...]) -> list[str]:
    """What the environment (where it begins like ours) and the file name that is no setting of any of these groups."""
    known = {environment_name(name, field) for kind in kinds for name, field in kind.model_fields.items()}
    ours = (name for name in os.environ if name.startswith(PREFIX) and not name.startswith(TEST_BED))  # noqa: TID251 - settings are read here
    fields = {name for kind in kinds for name in kind.model_fields}
    in_file = (f"{name} in {_file()}" for name in _keys_of(_file()) if name not in fields)
    return sorted(name for name in ours if name not in known and name != FILE_VARIABLE) + sorted(in_file)


def as_environment(settings: Settings) -> dict[str, str]:
    """The variables that give another process the same settings. Secrets among them stay out: they are inherited."""
    return {
        environment_name(name, field): str(value)
        for name, field in type(settings).model_fields.items()
        if (value := getattr(settings, name)) is not None and not is_secret(field)
    }


def child_environment(added: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process that we start: ours, and what is added for it."""
    return {**os.environ, **added}  # noqa: TID251 - the environment is read here


def _file() -> Path:
    named = os.environ.get(FILE_VARIABLE)  # noqa: TID251 - settings are read here
    if named and not Path(named).exists():
        raise WrongSettings([f"{FILE_VARIABLE}: there is no file {named}"])
    return Path(named) if named else DEFAULT_FILE


def _keys_of(file: Path) -> list[str]:
    try:
        return list(tomllib.loads(file.read_text("utf-8")))
    except (OSError, ValueError):
        return []  # `load` says what is wrong with it


def _given(kind: type[Settings]) -> dict[str, str]:
    """What the environment says for each field that may be shown."""
    return {
        name: os.environ[environment_name(name, field)]  # noqa: TID251 - settings are read here
        for name, field in kind.model_fields.items()
        if not is_secret(field) and environment_name(name, field) in os.environ  # noqa: TID251 - likewise
    }


def _describe(kind: type[Settings], problem: ErrorDetails, given: Mapping[str, str]) -> str:
    where = str(problem["loc"][0]) if problem["loc"] else ""
    for name, field in kind.model_fields.items():
        if where in {name, environment_name(name, field)}:
            shown = f" (it is {Redactor()(given[name])!r})" if name in given else ""
            return f"{environment_name(name, field)}: {problem['msg']}{shown}"
    return problem["msg"].removeprefix("Value error, ")
