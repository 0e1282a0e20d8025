"""Reading YAML into plain values that remember their lines."""

import io
import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from services.kit.redaction import Redactor

Path: TypeAlias = tuple[str | int, ...]

LARGEST = 4 * 1024 * 1024
LARGEST_NUMBER = 2**53
MOST_VALUES = 200_000
"""An alias may name what holds aliases: a few lines could stand for more than any machine holds."""
KEYS = ("id", "name", "app", "workspace", "user", "scope", "what")
"""What an entry of a list is called by, for people to find it."""


_redact = Redactor()
_NO_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, line ends that only YAML knows, halves of characters: not all can be stored, none be shown."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and where."""

    line: int | None
    field: str
    what: str


@dataclass
class Tree:
    """Plain values, and the line of each."""

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: Path, what: str) -> Problem:
        """Something wrong at a place: with its line, or the nearest one above it."""
        return Problem(self._line(path), self.named(path), what)

    def at(self, path: Path) -> Any:
        """The value at a place; none where there is no such place."""
        here = self.value
        for step in path:
            try:
                here = here[step]
            except (LookupError, TypeError):
                return None
        return here

    def named(self, path: Path) -> str:
        """A path as people read it: `tenants.acme.agents.mara.model`."""
        words: list[str] = []
        here = self.value
        for step in path:
            try:
                here = here[step]
            except (LookupError, TypeError):
                here = None
            if isinstance(step, int):
                called = [here[key] for key in KEYS if isinstance(here, dict) and isinstance(here.get(key), str)]
                words.append(called[0] if called else str(step + 1))
            else:
                words.append(step)
        return _redact(".".join(words))

    def _line(self, path: Path) -> int | None:
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path)


def read(text: str) -> Tree:
    """The values of one YAML 1.2 document. What cannot be read is a problem of the tree."""
    tree = Tree()
    try:
        yaml = YAML(typ="safe", pure=True)
        root = yaml.compose(io.StringIO(text))
        if root is not None:
            reader = _Reader(tree, yaml)
            tree.value = reader.read(root, ())
            tree.problems += [Problem(line, tree.named(path), what) for line, path, what in reader.found]
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = str(error.problem or error.context or "it is no YAML")
        tree.problems.append(Problem(mark.line + 1 if mark else None, "", f"this is no YAML: {why}"))
    except YAMLError:
        tree.problems.append(Problem(None, "", "this is no YAML: it holds characters that no text has"))
    except RecursionError:
        tree.problems.append(Problem(None, "", "it is nested too deeply"))
    except _TooLarge as error:
        tree.problems.append(Problem(error.line, "", "it stands for too many values: fewer aliases"))
    return tree


class _TooLarge(Exception):
    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


class _Reader:
    def __init__(self, tree: Tree, yaml: YAML) -> None:
        self._tree = tree
        self._constructor = yaml.constructor
        self._count = 0
        self.found: list[tuple[int, Path, str]] = []
        """What is wrong, by line and path: people's names for the path are known once all is read."""

    def read(self, node: Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self._tree.lines.setdefault(path, line)
        self._count += 1
        if self._count > MOST_VALUES:
            raise _TooLarge(line)
        if isinstance(node, MappingNode):
            return self._read_mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.read(each, (*path, index)) for index, each in enumerate(node.value)]
        if isinstance(node, ScalarNode):
            return self._read_scalar(node, path)
        raise AssertionError("a node is a mapping, a sequence or a scalar")

    def _read_mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            here = (*path, key)
            if not isinstance(key_node, ScalarNode) or str(key_node.tag).endswith(":merge"):
                self.found.append((line, path, "a field's name is a plain word"))
                continue
            if key in found:
                self.found.append((line, here, "it stands here a second time"))
                continue
            self._tree.lines[here] = line
            found[key] = self.read(value_node, here)
        return found

    def _read_scalar(self, node: ScalarNode, path: Path) -> Any:
        kind = str(node.tag).rpartition(":")[2]
        if kind in {"int", "float", "bool", "null"}:
            try:
                value = self._constructor.construct_object(node)
            except (ValueError, LookupError, TypeError, YAMLError):
                return str(node.value)
            if not isinstance(value, int) or abs(value) <= LARGEST_NUMBER:
                return value
            self._wrong(node, path, "a number as large as this has no place here")
        elif kind not in {"str", "timestamp"}:
            self._wrong(node, path, f"a value of the kind {node.tag} has no place here")
        elif _NO_TEXT.search(str(node.value)):
            self._wrong(node, path, "it has characters in it that no text has, such as NUL or a bell")
            return ""
        return str(node.value)

    def _wrong(self, node: Node, path: Path, what: str) -> None:
        self.found.append((node.start_mark.line + 1, path, what))
