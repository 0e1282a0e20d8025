"""What every event is made of: frozen values, strict where they are written, tolerant where they are read."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a moment before the first year, or after the last") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment, always with a zone and kept in UTC."""

Name = Annotated[str, StringConstraints(min_length=1)]
"""An identifier or a name: never empty."""


class Part(BaseModel):
    """A value inside an event.

    Writing (the constructor) refuses unknown fields and wrong types; `schemas.record.decode` reads the same models
    with unknown fields ignored, so that an older reader understands a newer writer.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        ser_json_bytes="base64",
        val_json_bytes="base64",
    )


class Event(Part):
    """A fact that crosses a topic. Each subclass fixes `type`; a breaking change is a new type that ends in `.v2`."""

    at: Instant
    """When it happened, by the clock of the process that says so."""
