"""`python -m threadline.generated`: writes every file that is made from code, or checks that each is as it would be."""

import argparse
import sys
from importlib.metadata import version
from pathlib import Path

from schemas import export
from schemas.history import broken_promises
from threadline import reference, slack_manifest
from threadline.dashboards import catalogue as dashboards

ROOT = Path(__file__).parents[1]


def wanted() -> dict[Path, str]:
    """Every generated file, as it must be."""
    contracts = {ROOT / "schemas/exported" / path: text for path, text in export.files(version("threadline")).items()}
    pages = {ROOT / "docs/reference" / path: text for path, text in reference.pages().items()}
    manifests = {ROOT / "infra/slack" / path: text for path, text in slack_manifest.files().items()}
    made = dashboards.files(ROOT / "infra/prometheus/rules")
    drawn = {ROOT / "infra/grafana/dashboards" / path: text for path, text in made.items()}
    return {**contracts, **pages, **manifests, **drawn}


def drift(wanted_files: dict[Path, str]) -> list[str]:
    """Where the tree is not as it would be written."""
    stale = [path for path, text in wanted_files.items() if not path.is_file() or path.read_text("utf-8") != text]
    return [f"{path.relative_to(ROOT)} is not what the code says; ./dev lock writes it" for path in stale] + [
        f"{path.relative_to(ROOT)} is made by nothing any more; ./dev lock removes it"
        for path in _orphans(wanted_files)
    ]


def write(wanted_files: dict[Path, str]) -> None:
    """Writes them, and removes what is made by nothing any more."""
    for path, text in wanted_files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for path in _orphans(wanted_files):
        path.unlink()


def _orphans(wanted_files: dict[Path, str]) -> list[Path]:
    written = ("schemas/exported", "docs/reference", "infra/slack", "infra/grafana/dashboards")
    folders = [ROOT / each for each in written]
    present = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in present if path not in wanted_files]


def main() -> int:
    """Writes, or with --check says what differs and what breaks a released version's readers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        write(wanted())
        return 0
    problems = drift(wanted()) + broken_promises()
    for problem in problems:
        print(problem)  # noqa: T201 - it is a command
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
