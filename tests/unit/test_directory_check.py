"""Everything that can be wrong with a directory.yaml, with its line and field, all at once."""

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.directory.agents_channel import cautions
from services.directory.check import check
from services.directory.document import AGENTS_CHANNEL
from services.directory.json_schema import json_schema
from services.directory.tree import LARGEST, read
from services.directory.yaml_text import as_yaml
from tests.directory.samples import ACME, GLOBEX, directory_yaml

HEAD = "version: 1\ntenants:\n  - id: acme\n    name: Acme\n"
"""Four lines; what follows begins on the fifth."""

ALIASES = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcde", "bcdef", strict=True)
)
"""A few lines that stand for a million values."""

ONE_BY_ONE = [
    ("    enabeld: true", 5, "tenants.acme.enabeld", "did you mean enabled?"),
    ("    agents: many", 5, "tenants.acme.agents", "it must be a list"),
    ("    agents: [just text]", 5, "tenants.acme.agents.1", "fields with values"),
    ("    agents:\n      - name: Mara", 6, "tenants.acme.agents.Mara.id", "it is missing"),
    ("    agents: [{id: mara, name: 5}]", 5, "tenants.acme.agents.mara.name", "put it in quotes"),
    ("    agents: [{id: Mara!, name: M}]", 5, "tenants.acme.agents.Mara!.id", "small letters, digits and dashes"),
    ("    agents: [{id: a, name: A, model: gpt-4}]", 5, "tenants.acme.agents.a.model", "openai:NAME"),
    ("    agents: [{id: a, name: A, model: 'openai:'}]", 5, "tenants.acme.agents.a.model", "no such model"),
    ("    agents: [{id: a, name: A}, {id: a, name: B}]", 5, "tenants.acme.agents.a.id", "it is here twice"),
    (
        "    agents: [{id: a, name: A, default: true}, {id: b, name: B, default: true}]",
        5,
        "tenants.acme.agents.b.default",
        "already",
    ),
    (
        "    agents: [{id: a, name: A, channels: [C1]}, {id: b, name: B, channels: [C1]}]",
        5,
        "tenants.acme.agents.b.channels",
        "bound to C1",
    ),
    ("    agents: [{id: a, name: A, channels: [U1]}]", 5, "tenants.acme.agents.a.channels.1", "begins with C, D or G"),
    ("    agents: [{id: a, name: A, channels: [C1, C1]}]", 5, "tenants.acme.agents.a.channels", "twice"),
    ("    connections: [{workspace: C1}]", 5, "tenants.acme.connections.C1.workspace", "begins with T"),
    ("    connections: [{workspace: T1}, {workspace: T1}]", 5, "tenants.acme.connections.T1.workspace", "twice"),
    ("    rules: [{name: r, agent: nobody}]", 5, "tenants.acme.rules.r.agent", "no such agent"),
    ("    rules: [{name: r, pattern: '(a'}]", 5, "tenants.acme.rules.r.pattern", "RE2 does not take it"),
    ("    rules: [{name: r, pattern: '(?<=a)b'}]", 5, "tenants.acme.rules.r.pattern", "look-around"),
    ("    rules: [{name: r, prompt: '{name}'}]", 5, "tenants.acme.rules.r.prompt", "{text}"),
    ("    rules: [{name: r, prompt: '{'}]", 5, "tenants.acme.rules.r.prompt", "written twice"),
    (
        "    rules: [{name: r, prompt: '{text.__class__}'}]",
        5,
        "tenants.acme.rules.r.prompt",
        "nothing that is filled in",
    ),
    (
        "    rules: [{name: r, when: emoji_reaction, emoji: [':eyes:']}]",
        5,
        "tenants.acme.rules.r.emoji.1",
        "without colons",
    ),
    ("    rules: [{name: r, emoji: [eyes]}]", 5, "tenants.acme.rules.r.emoji", "only a rule for emoji_reaction"),
    ("    rules: [{name: r, when: join}]", 5, "tenants.acme.rules.r", "needs a prompt"),
    ("    rules: [{name: r, when: join, prompt: hi, pattern: a}]", 5, "tenants.acme.rules.r.pattern", "says nothing"),
    ("    rules: [{name: r, when: never}]", 5, "tenants.acme.rules.r.when", "'join'"),
    ("    rules: [{name: r, cooldown_s: -1}]", 5, "tenants.acme.rules.r.cooldown_s", "greater than or equal to 0"),
    ("    limits: [{scope: connection, per_minute: 0}]", 5, "tenants.acme.limits.connection.per_minute", "greater"),
    ("    limits: [{scope: all, per_minute: 1}]", 5, "tenants.acme.limits.all.scope", "'connection'"),
    ("    quotas: [{what: runs_per_day, amount: .inf}]", 5, "tenants.acme.quotas.runs_per_day.amount", ""),
    ("    people: [{user: mara, may: [stop]}]", 5, "tenants.acme.people.mara.user", "begins with U or W"),
    ("    people: [{user: U1, may: []}]", 5, "tenants.acme.people.U1.may", "at least 1"),
    (
        "    partners: [{workspace: T1}]\n    connections: [{workspace: T1}]",
        5,
        "tenants.acme.partners.T1.workspace",
        "own",
    ),
    ("    installations: [{app: A1, workspace: T9}]", 5, "tenants.acme.installations.A1.workspace", "connections"),
    ("  - {id: acme, name: Again}", 5, "tenants.acme.id", "first on line 3"),
    ("    name: Twice", 5, "tenants.acme.name", "a second time"),
    ("    <<: {name: x}", 5, "tenants.acme", "a plain word"),
    ("    [a, b]: c", 5, "tenants.acme", "a plain word"),
    (
        "    agents: [{id: [a], name: A}]\n    rules: [{name: r, agent: b}]",
        5,
        "tenants.acme.agents.A.id",
        "must be text",
    ),
    (
        "    connections: [{workspace: [T1]}]\n    partners: [{workspace: {a: b}}]",
        6,
        "tenants.acme.partners.1.workspace",
        "must be text",
    ),
    ("    enabled: !!bool maybe", 5, "tenants.acme.enabled", "boolean"),
    ("    rules: [{name: r, priority: 0x" + "f" * 8000 + "}]", 5, "tenants.acme.rules.r.priority", "as large as this"),
    ('    agents: [{id: a, name: "a\\0b"}]', 5, "tenants.acme.agents.a.name", "no text has"),
    ('    agents: [{id: a, name: "\\ud800"}]', 5, "tenants.acme.agents.a.name", ""),
    ('    agents: [{id: a, name: "a\\Lb"}]', 5, "tenants.acme.agents.a.name", "no text has"),
    ("    name2: !!python/object:os.system x", 5, "tenants.acme.name2", "has no place here"),
]


@pytest.mark.parametrize(("lines", "line", "field", "says"), ONE_BY_ONE)
def test_a_mistake_is_named_by_line_and_field(lines: str, line: int, field: str, says: str) -> None:
    checked = check(f"{HEAD}{lines}\n")
    assert checked.document is None
    assert [each for each in checked.problems if (each.line, each.field) == (line, field) and says in each.what], (
        checked.problems
    )


def test_every_kind_of_mistake_is_told_at_once() -> None:
    """All of the above as tenants of one file."""
    text, expected = "version: 1\ntenants:\n", []
    for number, (lines, line, field, says) in enumerate(ONE_BY_ONE):
        if lines.startswith("  - "):
            continue
        begins = text.count("\n") + 1
        text += f"  - id: t{number}\n    name: T\n{lines}\n"
        expected.append((begins + line - 3, field.replace("acme", f"t{number}", 1), says))
    found = check(text).problems
    for line, field, says in expected:
        assert [each for each in found if each.line == line and each.field == field and says in each.what], (
            line,
            field,
        )
    assert check(text).document is None


def test_two_tenants_cannot_have_one_workspace() -> None:
    text = HEAD + "    connections: [{workspace: T1}]\n  - {id: other, name: O, connections: [{workspace: T1}]}\n"
    (problem,) = check(text).problems
    assert (problem.line, problem.field) == (6, "tenants.other.connections.T1.workspace")
    assert "tenants.acme has this one already" in problem.what


def test_two_workspaces_cannot_have_their_secrets_in_one_place() -> None:
    text = (
        HEAD
        + "    connections: [{workspace: T1}, {workspace: T2}]\n"
        + "    installations: [{app: A1, workspace: T1}, {app: A1, workspace: T2}]\n"
    )
    (problem,) = check(text).problems
    assert "env:acme" in problem.what


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-123456789012-abcDEF",
        "xapp-1-A0LOCAL-123-abc",
        "sk-proj-abc_DEF-12345678",
        "tl_acme_" + "0" * 12 + "_" + "a" * 64,
    ],
)
@pytest.mark.parametrize(
    "place",
    [
        "    rules: [{{name: r, pattern: '({}'}}]",
        "    rules: [{{name: r, prompt: '{{{}}}'}}]",
        "    agents: *{}",
        "    name2: !{} x",
        "    {}: 1",
        "    name2: {}",
        "    agents: [{{id: a, name: A, persona: 'is {}'}}]",
    ],
)
def test_a_secret_is_found_wherever_it_stands_and_never_repeated(secret: str, place: str) -> None:
    checked = check(HEAD + place.format(secret) + "\n")
    assert checked.document is None
    told = "\n".join(f"{each.field} {each.what}" for each in checked.problems)
    assert secret not in told


@pytest.mark.parametrize(
    "words", ["Answer basic questions", "Help the bearer understand it", "A sk-something of the kind", "12:30 @ noon"]
)
def test_ordinary_words_are_no_secrets(words: str) -> None:
    checked = check(
        HEAD + f"    connections: [{{workspace: T1}}]\n    agents: [{{id: sk-bratislava, name: A, role: '{words}'}}]\n"
    )
    assert checked.problems == ()


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(["T1", "C1", "a", "env"])
)
names = st.sampled_from(
    [
        "id",
        "name",
        "workspace",
        "app",
        "agent",
        "agents",
        "rules",
        "connections",
        "channels",
        "when",
        "partners",
        "installations",
        "emoji",
        "default",
        "secrets",
        "people",
        "user",
        "may",
        "limits",
        "scope",
        "tenants",
    ]
)
trees = st.recursive(
    leaves, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=5))
)


@given(st.lists(st.dictionaries(names, trees, max_size=6), max_size=3))
def test_no_shape_of_values_makes_it_fail(tenants: list[object]) -> None:
    check(json.dumps({"version": 1, "tenants": tenants}))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty"),
        ("# only a comment\n", "it is empty"),
        ("a: [1,\n", "no YAML"),
        ("\tversion: 1", "no YAML"),
        ("version: 1\n--- \nversion: 1\n", "no YAML"),
        ("a: *nobody\n", "no YAML"),
        ("version: \x00\n", "no YAML"),
        ("[" * 5000, "no YAML|nested too deeply"),
        ("just words", "fields with values"),
        ("- a\n- b\n", "fields with values"),
        ("version: 2\n", "1"),
        ("version: '1'\n", "1"),
        ("x" * (LARGEST + 1), "larger than"),
        (
            ALIASES,
            "too many values",
        ),
    ],
)
def test_what_is_no_directory_at_all_is_told(text: str, says: str) -> None:
    checked = check(text)
    assert checked.document is None
    assert any(part in each.what for each in checked.problems for part in says.split("|")), checked.problems


def test_yaml_1_2_is_read_so_that_on_off_and_no_are_words() -> None:
    checked = check(HEAD + "    agents: [{id: no, name: on, role: off}]\n")
    assert checked.document is not None
    assert checked.document.tenants[0].agents[0].id == "no"


def test_an_alias_may_stand_for_a_text() -> None:
    text = HEAD + "    agents: [{id: a, name: A, persona: &p kind}, {id: b, name: B, persona: *p, default: true}]\n"
    checked = check(text)
    assert checked.document is not None
    assert checked.document.tenants[0].agents[1].persona == "kind"


def test_what_is_hardly_meant_is_hinted_at() -> None:
    checked = check(HEAD + "    agents: [{id: a, name: A}, {id: b, name: B}]\n")
    assert checked.document is not None
    assert [each.what for each in checked.hints] == [
        "none is the default, so nobody answers direct messages",
        "it has no connection, so nothing reaches it",
    ]


@pytest.mark.parametrize(
    ("described", "is_told"),
    [
        ("", False),
        ("    agents_channel: C0123AGENTS\n    anyone_may_approve: true\n", False),
        ("    agents_channel: '#robots'\n", True),
        ("    anyone_may_approve: true\n", True),
        ("    people: [{user: U1, may: [stop]}]\n", False),
        ("    people: [{user: U1, may: [approve]}]\n", True),
        ("    quotas: [{what: runs_per_day, amount: 5}]\n", False),
        ("    quotas: [{what: agents_cost_usd_per_day, amount: 5}]\n", True),
    ],
)
def test_where_there_are_agents_a_channel_of_theirs_that_is_only_named_is_told(
    described: str, *, is_told: bool
) -> None:
    checked = check(HEAD + described)
    assert checked.document is not None
    told = list(cautions(checked.document.tenants[0]))
    assert ["write the channel's id (C…) as the tenant's agents_channel" in each for each in told] == [True] * is_told


@pytest.mark.parametrize(
    ("of_tenant", "of_t2", "told"),
    [
        ("C1", "", "acme.agents_channel: C1 is of one workspace, and is meant in T1 and T2: where it is not shared,"),
        ("C1", "'#robots'", "acme.connections.T2.agents_channel: #robots is a name, so agents do not hear"),
        ("'#robots'", "", "acme.agents_channel: #robots is a name, so agents do not hear"),
        ("C1", "C2", None),
    ],
)
def test_of_several_workspaces_each_has_a_channel_of_its_own(of_tenant: str, of_t2: str, told: str | None) -> None:
    own = f", agents_channel: {of_t2}" if of_t2 else ""
    connections = f"    connections: [{{workspace: T1}}, {{workspace: T2{own}}}]\n"
    checked = check(f"{HEAD}    agents_channel: {of_tenant}\n{connections}")
    assert checked.document is not None
    found = list(cautions(checked.document.tenants[0]))
    assert [each.startswith(f"tenants.{told}") for each in found] == [True] * (told is not None)
    assert all("as agents_channel of T1 and of T2 under connections" in each for each in found if not own)


def test_what_a_workspace_does_not_say_its_tenant_does() -> None:
    checked = check(HEAD + "    connections: [{workspace: T1}, {workspace: T2, agents_channel: C2}]\n")
    assert checked.document is not None
    (tenant,) = checked.document.tenants
    assert [tenant.agents_channel_in(each) for each in ("T1", "T2", "T3")] == [AGENTS_CHANNEL, "C2", AGENTS_CHANNEL]


@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    check(text)
    check(HEAD + text)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    check(data.decode("utf-8", "replace"))
    check(HEAD + "    " + data.decode("latin-1"))


def test_the_json_schema_takes_what_the_check_takes() -> None:
    schema = json.loads(json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(read(directory_yaml(ACME, GLOBEX)).value, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(read(HEAD + "    enabeld: true\n").value, schema)


def test_an_agent_can_be_added_at_the_end_of_what_was_written() -> None:
    connected = "    connections: [{workspace: T0ACME}]\n    installations: [{app: A0LINE, workspace: T0ACME}]\n"
    first = check(f"{HEAD}    agents: [{{id: mara, name: Mara}}]\n{connected}")
    assert first.document is not None
    longer = check(as_yaml(first.document.tenants) + "      - id: rook\n        name: Rook\n")
    assert longer.document is not None, longer.problems
    assert [agent.id for agent in longer.document.tenants[0].agents] == ["mara", "rook"]
    assert longer.document.tenants[0].installations == first.document.tenants[0].installations
