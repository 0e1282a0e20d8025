import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.attributes import Attributes
from schemas.envelope import Received, SlackEnvelope
from schemas.letter import DeadLetter
from schemas.record import decode, encode
from schemas.topics import DEAD_LETTERS, SLACK_INBOUND
from services.ingress.adapters.dead_letters import LONGEST, SOURCE, dead_letter, instead_of
from services.ingress.adapters.outgoing import Outgoing
from services.kit.redaction import HIDDEN, learn
from tests.samples import AT, event_callback

MARKS = b"token secret url xox xapp xwf sk- tl_ earer asic hooks ticket :// %".split()
BYTES = st.binary().filter(lambda raw: not any(mark in raw.lower() for mark in MARKS))


def letter_in(record: Outgoing) -> DeadLetter:
    """What somebody reads from the topic."""
    _, event = decode(record.topic, record.encoded.headers, record.encoded.value)
    assert isinstance(event, DeadLetter)
    return event


def letter(raw: bytes | None) -> DeadLetter:
    return letter_in(dead_letter(raw, "not_json", "it is no JSON", AT, "name-1"))


def refused_record() -> Outgoing:
    envelope = SlackEnvelope(
        at=AT,
        kind="events_api",
        connection="A1:T1",
        event_id="A1:Ev1",
        received=Received(transport="socket", received_at=AT, ingress="test"),
        payload=event_callback({"type": "message", "text": "x" * 100}),
    )
    encoded = encode(SLACK_INBOUND, envelope, Attributes("A1:Ev1", "slack.envelope", SOURCE, AT))
    return Outgoing(SLACK_INBOUND, "A1:T1", "A1:Ev1", encoded, AT, once_only=False)


def test_a_dead_letter_says_who_gave_up_on_what_and_why() -> None:
    record = dead_letter(b"rubbish", "not_json", "it is no JSON", AT, "name-1")
    assert (record.topic, record.key, record.id, record.received_at) == (DEAD_LETTERS, "ingress", "name-1", AT)
    assert letter_in(record) == DeadLetter(
        at=AT, service="ingress", reason="not_json", detail="it is no JSON", value=b"rubbish"
    )
    assert Attributes.from_headers(record.encoded.headers) == Attributes("name-1", "dead.letter", SOURCE, AT)


def test_a_repeat_is_the_same_record() -> None:
    one, other = (dead_letter(b"rubbish", "not_json", "it is no JSON", AT, "name-1") for _ in range(2))
    assert one == other


@given(BYTES)
def test_bytes_survive_whatever_they_are(raw: bytes) -> None:
    assert letter(raw).value == raw


@pytest.mark.parametrize("raw", [None, b"", bytes(range(256))])
def test_nothing_is_nothing_and_every_byte_is_itself(raw: bytes | None) -> None:
    assert letter(raw).value == raw


@given(BYTES, BYTES)
def test_a_secret_is_hidden_and_the_bytes_around_it_stay(before: bytes, after: bytes) -> None:
    kept = letter(b"<" + before + b' "token":"s3kr3t" xoxb-123-s3kr3t ' + after).value
    assert kept == b"<" + before + f' "token":"{HIDDEN}" {HIDDEN} '.encode() + after


def test_what_this_process_knows_for_a_secret_is_hidden() -> None:
    learn("of no shape at all")
    assert letter(b"it is (of no shape at all)").value == f"it is ({HIDDEN})".encode()


def test_what_is_as_long_as_can_be_stays_whole() -> None:
    kept = letter(b"x" * LONGEST)
    assert kept.value == b"x" * LONGEST
    assert kept.detail == "it is no JSON"


def test_what_is_too_long_is_cut_and_the_letter_says_so() -> None:
    kept = letter(b"x" * LONGEST + b"yz")
    assert kept.value == b"x" * LONGEST
    assert kept.detail == f"it is no JSON; of its {LONGEST + 2} bytes the first {LONGEST} are kept"


def test_the_longest_letter_fits_on_the_topic() -> None:
    record = dead_letter(b"\xff" * (LONGEST + 1), "too_large", "x" * 1000, AT, "n" * 1000)
    assert record.size < DEAD_LETTERS.largest_record


def test_a_cut_through_a_secret_leaves_no_half_of_it() -> None:
    for shown in (0, 1, 10, 15, 24):
        kept = letter(b"x" * (LONGEST - shown) + b'"token":"s3kr3t-of-slack"').value
        assert kept is not None
        assert b"s3k" not in kept[-40:]


def test_a_record_that_the_broker_never_takes_is_kept_whole_under_its_own_name() -> None:
    refused = refused_record()
    instead = instead_of(refused)
    assert (instead.topic, instead.id, instead.received_at) == (DEAD_LETTERS, "A1:Ev1", AT)
    kept = letter_in(instead)
    assert (kept.reason, kept.value) == ("too_large", refused.encoded.value)
    assert kept.detail == f"the broker takes no record of slack.inbound with {refused.size} bytes"


def test_of_a_letter_that_the_broker_never_takes_only_the_story_is_left() -> None:
    refused = dead_letter(b"rubbish", "not_json", "it is no JSON", AT, "name-1")
    instead = instead_of(refused)
    assert (instead.topic, instead.id) == (DEAD_LETTERS, "name-1")
    kept = letter_in(instead)
    assert (kept.reason, kept.value) == ("too_large", None)
    assert kept.detail == f"the broker takes no record of dead.letters with {refused.size} bytes"
    assert instead.size < refused.size + 100
