"""Who acted is mentioned in Slack where they are somebody there, and named in words where they are not."""

import pytest

from services.supervisor.decisions.blocks import person


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("U0ANNA", "<@U0ANNA>"),
        ("W0ANNA", "<@W0ANNA>"),
        ("local", "somebody on the supervisor's machine"),
        ("<!channel>", "`&lt;!channel&gt;`"),
    ],
)
def test_how_somebody_is_called(name: str, shown: str) -> None:
    assert person(name) == shown
