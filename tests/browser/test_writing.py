"""How texts are drawn: Slack's own way of writing, Markdown, and what people type."""

import pytest

from services.slack_sim.page.markdown import markdown
from services.slack_sim.page.mrkdwn import mrkdwn
from services.slack_sim.page.typed import as_sent, as_typed
from services.slack_sim.page.viewer import Viewer
from services.slack_sim.world.entities import Channel, Counters, User, Workspace
from services.slack_sim.world.world import World


@pytest.fixture
def viewer() -> Viewer:
    world = World(Counters("test"))
    world.keep(Workspace("T1", "Acme", "acme"))
    for user_id, name, real in (("U1", "you", "You"), ("U2", "ann", "Ann Lee"), ("U3", "max", "Ann Lee-Roy")):
        world.keep(User(user_id, "T1", name, real))
    world.keep(Channel("C1", "T1", "general", "channel", "U1", 0, ["U1"]))
    return Viewer(world, world.users["U1"])


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("*b* _i_ ~s~ `c`", "<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code></p>"),
        ("2*3*4 snake_case_name", "<p>2*3*4 snake_case_name</p>"),
        ("a &lt;b&gt; &amp;amp;", "<p>a &lt;b&gt; &amp;amp;</p>"),
        ("<b>", "<p>&lt;b&gt;</p>"),
        ("&gt; said\nanswer", "<blockquote>said</blockquote><p>answer</p>"),
        ("x\n```\na *b*\n```\ny", "<p>x</p><pre><code>a *b*</code></pre><p>y</p>"),
        ("<@U2> <!here>", '<p><span class="mention">@Ann Lee</span> <span class="mention mine">@here</span></p>'),
        ("<!date^1^{date}|Monday> :tada: :nope:", "<p>Monday 🎉 :nope:</p>"),
        ("<javascript:alert(1)|x>", "<p>&lt;javascript:alert(1)|x&gt;</p>"),
        ("`*b*` *`c`*", "<p><code>*b*</code> <strong><code>c</code></strong></p>"),
    ],
)
def test_mrkdwn(viewer: Viewer, text: str, drawn: str) -> None:
    assert mrkdwn(viewer, text) == drawn


def test_a_link_goes_outside(viewer: Viewer) -> None:
    drawn = mrkdwn(viewer, "<https://a.example/?a=1&amp;b=2|here>, https://b.example/x).")
    assert 'href="https://a.example/?a=1&amp;b=2"' in drawn
    assert '>here</a>, <a href="https://b.example/x"' in drawn
    assert drawn.endswith("</a>).</p>")


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("# One #\ntwo", "<h3>One</h3><p>two</p>"),
        ("**b** *i* ~~s~~ `c` \\*x\\*", "<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code> *x*</p>"),
        ("- a\n- b\n  1. c\n  2. d", "<ul><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ul>"),
        ("3. a", '<ol start="3"><li>a</li></ol>'),
        ("> q\n> r\n\n---", "<blockquote><p>q\nr</p></blockquote><hr>"),
        ("```py\nx = 1 < 2", "<pre><code>x = 1 &lt; 2</code></pre>"),
        ("a | b\n--|--\n1 | 2", None),
        ("half **bold and [a link](htt", "<p>half **bold and [a link](htt</p>"),
        ("", ""),
        ("1. \n- ", "<p>1. \n- </p>"),
    ],
)
def test_markdown(viewer: Viewer, text: str, drawn: str | None) -> None:
    assert drawn is None or markdown(viewer, text) == drawn
    if drawn is None:
        assert "<th>a</th><th>b</th>" in markdown(viewer, text)
        assert "<td>1</td><td>2</td>" in markdown(viewer, text)


@pytest.mark.parametrize(
    "part", ["*", "**a ", "`", "[", "> ", "- ", "  - ", "# ", "|", "<", "_a", "~~a", "```", "1. a\n ", ": "]
)
def test_much_of_anything_is_drawn(viewer: Viewer, part: str) -> None:
    text = part * 3000
    assert markdown(viewer, text) is not None
    assert markdown(viewer, part.join("\n" * 300)) is not None
    assert mrkdwn(viewer, text) is not None


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("hi @You & <co>", "hi <@U1> &amp; &lt;co&gt;"),
        ("@Ann Lee, @Ann Lee-Roy @max me@You.com", "<@U2>, <@U3> <@U3> me@You.com"),
        ("@here in #general at https://a.example/?a&b.", "<!here> in <#C1> at <https://a.example/?a&amp;b>."),
        ("<@U2> as it is", "<@U2> as it is"),
    ],
)
def test_what_is_typed_is_sent_as_slack_does(viewer: Viewer, typed: str, sent: str) -> None:
    assert as_sent(viewer, typed) == sent


def test_what_was_sent_is_typed_again(viewer: Viewer) -> None:
    typed = "@Ann Lee in #general @here & https://a.example/?a&b <3"
    assert as_typed(viewer, as_sent(viewer, typed)) == typed
