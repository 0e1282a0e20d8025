"""Slack's markup as people read it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.decisions.text import read


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("<@UBOT> how are you?", "how are you?"),
        ("<@UBOT|mara>, how are you?", "how are you?"),
        ("<@UBOT> <@UBOT>: hello", "hello"),
        ("ask <@UBOT> or <@U2|anna>", "ask <@UBOT> or @anna"),
        ("see <#C1|general> and <#C2>", "see #general and <#C2>"),
        ("<!here> <!channel|channel> <!subteam^S1|@team> <!subteam^S2>", "@here channel @team S2"),
        ("<!date^1392734382^{date}|Feb 18>", "Feb 18"),
        ("<https://example.com/a?b=1&amp;c=2>", "https://example.com/a?b=1&c=2"),
        ("<https://example.com|example.com>", "https://example.com"),
        ("<https://example.com|the page>", "the page (https://example.com)"),
        ("<mailto:anna@example.com|anna@example.com>", "anna@example.com"),
        ("<tel:+4930|call>", "call (+4930)"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("&lt;@UBOT&gt; is no mention", "<@UBOT> is no mention"),
        ("  \n<@UBOT>\n\nline\nline  ", "line\nline"),
        ("a <not a link> b", "a <not a link> b"),
        ("", ""),
        ("<@UBOT>", ""),
    ],
)
def test_markup_is_read_as_people_read_it(written: str, said: str) -> None:
    assert read(written, "UBOT").content == said


def test_mentions_are_found_once_each_and_in_order() -> None:
    assert read("<@UBOT> tell <@U2|b>, <@W3> and <@U2>, not <@lower> or &lt;@U9&gt;").mentions == ("UBOT", "U2", "W3")


def test_without_knowing_who_we_are_nothing_is_taken_away() -> None:
    assert read("<@UBOT> hello").content == "<@UBOT> hello"


@given(st.text(alphabet="<>@#!|&;ampltg UBC1:/^", max_size=60))
def test_any_text_is_read(text: str) -> None:
    said = read(text, "UBOT")
    assert len(said.content) <= len(text) + 3 * text.count("|")
