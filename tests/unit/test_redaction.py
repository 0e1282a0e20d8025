import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.redaction import HIDDEN, Redactor

PLANTED = [
    "xoxb-123456789012-abcDEF",
    "xoxp-1-2-3",
    "xoxe.xoxp-1-Mi0yLTM",
    "xapp-1-A0LOCAL-123-abc",
    "sk-proj-abc_DEF-12345678",
    "sk-ant-api03-abcdefgh",
    "https://hooks.slack.com/actions/T1/2/abc",
    "https://hooks.slack.com/services/T1/B1/abc",
]


@pytest.mark.parametrize("secret", PLANTED)
def test_a_secret_is_known_by_its_shape(secret: str) -> None:
    assert Redactor()(f"failed with {secret}, sorry") == f"failed with {HIDDEN}, sorry"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abc.def-ghi123", f"Authorization: Bearer {HIDDEN}"),
        ("wss://host/link/?ticket=abc-123&app_id=A1", f"wss://host/link/?ticket={HIDDEN}&app_id=A1"),
        ("postgresql://mara:pa55word@db:5432/x", f"postgresql://{HIDDEN}@db:5432/x"),
    ],
)
def test_a_secret_in_its_place_is_hidden_and_the_rest_stays(text: str, clean: str) -> None:
    assert Redactor()(text) == clean


@pytest.mark.parametrize(
    "text",
    ["https://example.com:8080/path", "task-force", "bearer of news", "Basic Information", "xoxo", "A0LOCAL:T0ACME"],
)
def test_ordinary_words_stay(text: str) -> None:
    assert Redactor()(text) == text


@given(st.text(min_size=6), st.text(), st.text())
def test_a_known_value_is_hidden_wherever_it_stands(secret: str, before: str, after: str) -> None:
    assert secret not in Redactor([secret])(f"{before}{secret}{after}").replace(HIDDEN, "")


def test_a_value_that_contains_another_is_hidden_whole() -> None:
    assert Redactor(["secret", "secret-longer"])("it is secret-longer") == f"it is {HIDDEN}"


def test_a_value_too_short_to_be_a_secret_does_not_blank_the_log() -> None:
    assert Redactor(["a"])("a cat") == "a cat"
