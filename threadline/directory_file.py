"""A directory.yaml that a command tries out, in place of what is applied."""

from pathlib import Path

from services.directory.check import check
from services.directory.document import Tenant
from services.kit.fault import Fault


def tenants_in(file: Path) -> tuple[Tenant, ...]:
    """Those that it describes; a file that is not right is a fault."""
    try:
        checked = check(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"{file} cannot be read: {error}") from None
    if checked.document is None:
        raise Fault(f"{file} is not right; `threadline directory check {file}` says what is wrong")
    return checked.document.tenants
