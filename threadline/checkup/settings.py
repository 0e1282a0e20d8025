"""Settings: whether each group can be read, and whether a name is misspelt."""

from collections.abc import Iterator

from services.kit.settings import WrongSettings, load, strangers
from threadline.catalogue import SETTINGS
from threadline.checkup.finding import Finding, fine, note, wrong

SUBJECT = "settings"


def look() -> Iterator[Finding]:
    """Every wrong value and every strange name."""
    problems: list[str] = []
    for group in SETTINGS:
        try:
            load(group)
        except WrongSettings as fault:
            problems += [each for each in fault.problems if each not in problems]
    for problem in problems:
        yield wrong(SUBJECT, problem, "mend it in the environment or in threadline.toml")
    for name in strangers(SETTINGS):
        yield note(SUBJECT, f"there is no setting {name}; it has no effect", "docs/reference/settings.md lists them")
    if not problems:
        yield fine(SUBJECT, "every value can be read")
