"""Where a supervisor answers."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl


class NoAddress(Exception):
    """What was given is none, and why."""


@dataclass(slots=True)
class Address:
    """A supervisor's address, without whatever else was written into it."""

    host: str
    port: int
    path: str
    secure: bool
    _tls: "ssl.SSLContext | None" = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> "Address":
        """Out of what people write: https://threadline.example.com, or with a port or a path."""
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except ValueError:
            raise NoAddress("it cannot be read") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise NoAddress("it must begin with https:// or http:// and name a host")
        if not (parts.path.isascii() and parts.path.isprintable()) or " " in parts.path:
            raise NoAddress("its path has characters that no path has")
        secure = parts.scheme == "https"
        return cls(parts.hostname, port or (443 if secure else 80), parts.path.rstrip("/"), secure)

    @property
    def host_and_port(self) -> str:
        """As the header Host has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    def tls(self) -> "ssl.SSLContext | None":
        """How its certificate is checked; nothing where it speaks plain HTTP. SSL_CERT_FILE names other authorities."""
        if self.secure and self._tls is None:
            import ssl  # noqa: PLC0415 - it takes its time, and plain HTTP needs none

            self._tls = ssl.create_default_context()
        return self._tls

    def __str__(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.host_and_port}{self.path}"
