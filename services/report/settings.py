"""What reports are told."""

from pydantic import Field, SecretStr

from services.kit.groups import KafkaSettings


class ReportSettings(KafkaSettings):
    """Reports of the log."""

    report_key: SecretStr | None = Field(default=None, min_length=16)
    """Hashes the ids in reports. Under the same key an id has the same name in every report. Without one, each report
    makes a key of its own and forgets it."""
