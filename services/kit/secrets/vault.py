"""Where the gateway keeps its secrets: in memory and, where it is given a file, sealed on disk."""

import json
from pathlib import Path

from pydantic import SecretStr
from typing_extensions import override

from services.kit.fault import Fault
from services.kit.files import write_whole
from services.kit.secrets.names import NAMES
from services.kit.secrets.sealing import Sealer


class VaultUnreadable(Fault):
    """The file is there and is not what this gateway wrote."""


class Vault:
    """A few secrets by name."""

    def __init__(self, file: Path | None = None, sealer: Sealer | None = None) -> None:
        self._file, self._sealer = file, sealer
        self._secrets: dict[str, SecretStr] = {}
        if file is not None and file.exists():
            self._secrets = self._read(file)

    def get(self, name: str) -> SecretStr | None:
        """The secret, or none."""
        return self._secrets.get(name)

    def put(self, name: str, secret: SecretStr) -> None:
        """Keeps a secret in place of the one before it."""
        self._keep({**self._secrets, name: secret})

    def drop(self, name: str) -> None:
        """Forgets a secret."""
        self._keep({each: secret for each, secret in self._secrets.items() if each != name})

    def reseal(self) -> int:
        """Seals everything with the first key. Gives how many secrets there are."""
        self._keep(self._secrets)
        return len(self._secrets)

    def _keep(self, secrets: dict[str, SecretStr]) -> None:
        if self._file is not None and self._sealer is not None:
            sealed = {name: self._sealer.seal(secret, name).decode() for name, secret in secrets.items()}
            write_whole(self._file, json.dumps(sealed).encode())
        self._secrets = secrets

    def _read(self, file: Path) -> dict[str, SecretStr]:
        if self._sealer is None:
            raise VaultUnreadable(f"{file} is sealed, and there is no key to open it")
        try:
            sealed = json.loads(file.read_bytes())
            return {name: self._sealer.open(sealed[name].encode(), name) for name in sorted(NAMES & set(sealed))}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise VaultUnreadable(
                f"{file} is not what the gateway wrote ({type(error).__name__}); it was left as it is. Name another "
                "file, or move it away and store the secrets again"
            ) from None

    @override
    def __repr__(self) -> str:
        return f"Vault({', '.join(sorted(self._secrets))})"
