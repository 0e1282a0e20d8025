"""What the responder makes of a model's words: whole, in pieces that fit, and harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.responder.decisions.harmless import harmless
from services.responder.decisions.prompting import Persona, Said, asked, by_person, merged, system_prompt, within
from services.responder.decisions.rehearsing import rehearse, words
from services.responder.decisions.showing import PLAIN_LONGEST, plain
from services.responder.decisions.splitting import LONGEST, split


@given(st.lists(st.text(st.sampled_from("ab .\n`|-#~"), max_size=60), max_size=30))
def test_nothing_is_lost_and_every_part_fits(lines: list[str]) -> None:
    text = "\n".join(lines)
    parts = split(text, 120)
    assert parts
    assert all(len(part) <= 120 for part in parts)
    for letter in "ab#":
        assert "".join(parts).count(letter) >= text.count(letter)


def test_a_short_text_is_one_part() -> None:
    assert split("# Hello\n\nYou.") == ["# Hello\n\nYou."]
    assert split("") == [""]


def test_a_fence_is_closed_and_opened_again() -> None:
    code = "\n".join(f"line {number}" for number in range(100))
    parts = split(f"Before.\n\n```python\n{code}\n```\n\nAfter.", 300)
    assert len(parts) > 2
    for part in parts:
        assert part.count("```") % 2 == 0
    assert all("```python\n" in part for part in parts[1:-1])
    assert parts[-1].endswith("After.")


def test_a_table_keeps_its_head() -> None:
    rows = "\n".join(f"| {number} | x |" for number in range(100))
    parts = split(f"| n | what |\n| --- | --- |\n{rows}", 300)
    assert len(parts) > 2
    assert all(part.startswith("| n | what |\n| --- | --- |\n| ") for part in parts)


def test_a_fence_that_a_model_left_open_is_closed() -> None:
    assert split("```\nx = 1") == ["```\nx = 1\n```"]


def test_one_word_that_is_too_long_is_cut() -> None:
    assert [len(part) for part in split("x" * (2 * LONGEST + 5))] == [LONGEST, LONGEST, 5]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("<!channel> hey", "@\u2060channel hey"),
        ("<!here|here> hey", "@\u2060here hey"),
        ("@channel and @everyone", "@\u2060channel and @\u2060everyone"),
        ("mail@here.example", "mail@here.example"),
        ("<!subteam^S123|@oncall> look", "@\u2060oncall look"),
        ("<@UOTHER> and <@UYOU>", "@\u2060UOTHER and <@UYOU>"),
        ("[x](javascript:alert(1))", "[x](javascript\u2060:alert(1))"),
        ("[x](https://example.com) <mailto:a@b.example>", "[x](https://example.com) <mailto:a@b.example>"),
        ("<@U1|<@UBAD>>", "@\u2060@\u2060UBAD"),
        ("`std::string` and ```\nns:x <xsl:y> @channel\n```", "`std::string` and ```\nns:x <xsl:y> @channel\n```"),
        ("in code `<!channel>` too", "in code `@\u2060channel` too"),
        ("<!DOCTYPE html> and <!-- x -->", "<!DOCTYPE html> and <!-- x -->"),
        ("vector<std::string>", "vector<std::string>"),
    ],
)
def test_nobody_is_called_and_links_are_what_they_seem(said: str, shown: str) -> None:
    assert harmless(said, {"UYOU"}) == shown


def test_the_plain_words_say_it_without_marks_and_fit() -> None:
    assert plain("## Hi\n\n**you** & <b>") == "Hi\n\nyou &amp; &lt;b&gt;"
    assert len(plain("word " * 5000)) <= PLAIN_LONGEST


def test_the_system_prompt_says_who_answers() -> None:
    said = system_prompt(Persona("Mara", "Customer Support", "Professional and empathetic", "You are an AI."))
    for part in (
        "Your name is Mara.",
        "Your role is Customer Support.",
        "Professional and empathetic",
        "You are an AI.",
    ):
        assert part in said


def test_of_a_long_thread_the_last_part_is_shown() -> None:
    history = [Said("person", "x" * 40, "U1", f"{number}.0") for number in range(200)]
    assert [said.ts for said in within(history, 45)] == ["197.0", "198.0", "199.0"]
    given_ = asked(Persona("Mara"), history, "why?", "U1", 100)
    assert given_.question == by_person("U1", "why?")
    assert len(given_.history) < 10


def test_a_thread_is_told_in_order_each_message_once() -> None:
    early, late = Said("person", "a", "U1", "9.0"), Said("agent", "b", ts="10.0")
    assert merged([late, early, late]) == [early, late]


def test_the_rehearsal_says_the_same_to_the_same() -> None:
    question = asked(Persona("Mara", "Support"), [Said("person", "before", "U1", "1.0")], "hi", "U1", 1000)
    assert rehearse(question) == rehearse(question)
    said = rehearse(question).text
    assert "**Mara, Support**" in said
    assert "1 time" in said
    assert "".join(words(said)) == said
    counted = rehearse(asked(Persona("Mara"), [], "count to 3", "U1", 1000))
    assert counted.text == "1.\n2.\n3."


@pytest.mark.parametrize("sign", ["<!", "<@U", "@", "`", "```", "](x:", "<a:"])
def test_no_text_makes_it_slow(sign: str) -> None:
    """It is on the way of everybody's edits. Quadratic, these would take minutes."""
    assert harmless(sign * 50_000, set())


def test_what_stood_there_in_an_open_fence_is_closed_before_our_own_words() -> None:
    partial = split(harmless("```python\nx = 1", set()))[-1]
    assert f"{partial}\n\nStopped." == "```python\nx = 1\n```\n\nStopped."
