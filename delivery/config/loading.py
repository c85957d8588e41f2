"""A YAML file as plain values, with the line of every key and item, and scalars as typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.events import CollectionEndEvent, CollectionStartEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from delivery.config.problems import Problem, refuse
from delivery.errors import BadInput
from delivery.paths import shown

# Our own file has some 300; aliases that multiply beyond this are an attack or an accident.
MAX_NODES = 20_000
MAX_DEPTH = 50
MERGE_TAG = "tag:yaml.org,2002:merge"
TEXT_TAG = "tag:yaml.org,2002:str"
PLAIN_TAGS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}

# The C parser is ten times as fast, where PyYAML was built with it; both read the same.
FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A loaded file: its values, the line (from 1) of each path in it, each scalar as typed."""

    file: str
    values: Mapping[str, Any]
    lines: Mapping[Path_, int]
    typed: Mapping[Path_, str]

    def line_of(self, path: Path_) -> int:
        """The line of the path, or of the nearest thing around it that is written down."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def load(path: Path) -> Document:
    """Read and parse a configuration file.

    Raises:
        BadInput: there is no such file.
        BadConfiguration: it is not YAML, not UTF-8, not a mapping, or names a key twice.
    """
    file = shown(path)
    try:
        written = path.read_bytes()
    except OSError as error:
        raise BadInput(
            f'"{file}" cannot be read: {error.strerror}',
            where=file,
            remedy="run inv in the checkout, or name another file with --config",
        ) from error
    return _document(file, _compose(file, _text(file, written)))


def trusted(path: Path) -> Any:
    """The values of a file that is part of the program, so that nobody asks for its lines."""
    text = path.read_text(encoding="utf-8")
    return _plain(yaml.compose(text, Loader=FASTEST), yaml.SafeLoader(""))


def _plain(node: Node | None, constructor: yaml.SafeLoader) -> Any:
    if isinstance(node, MappingNode):
        return {key.value: _plain(value, constructor) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [_plain(item, constructor) for item in node.value]
    if node is None or node.tag == TEXT_TAG:
        return node and node.value
    return constructor.construct_object(node)


def _text(file: str, written: bytes) -> str:
    try:
        return written.decode("utf-8")
    except UnicodeDecodeError as error:
        line = written.count(b"\n", 0, error.start) + 1
        problem = f"byte 0x{written[error.start]:02x} is not UTF-8"
        remedy = "the file in UTF-8 (`iconv -f latin1 -t utf-8`, if it is in Latin-1)"
        raise refuse(file, [Problem(line, "", problem, remedy)]) from error


def _compose(file: str, text: str) -> Node | None:
    try:
        return _composed(file, text, FASTEST)
    except yaml.YAMLError:
        pass  # What is wrong, and where, the one in Python tells better.
    try:
        return _composed(file, text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        remedy = "valid YAML: two spaces per level, no tabs, text with : or # in quotes"
        problem = Problem(_line(text, error), "", f"not YAML: {_what(error)}", remedy)
        raise refuse(file, [problem]) from error


def _composed(file: str, text: str, loader: Any) -> Node | None:
    _check_depth(file, text, loader)
    found: Node | None = yaml.compose(text, Loader=loader)
    return found


def _check_depth(file: str, text: str, loader: Any) -> None:
    """Refuse what nests without end, before composing it would exhaust the stack."""
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, CollectionStartEvent):
            depth += 1
        elif isinstance(event, CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            mark = event.start_mark
            line = mark.line + 1 if mark is not None else 1
            told = "brackets or levels nest without end"
            raise refuse(file, [Problem(line, "", told, "at most five levels")])


def _line(text: str, error: yaml.YAMLError) -> int:
    if isinstance(error, yaml.reader.ReaderError):  # It alone counts characters, not lines.
        return text.count("\n", 0, error.position) + 1
    mark = getattr(error, "problem_mark", None)
    if "end" in _what(error):  # What was never closed began somewhere above the end of the file.
        mark = getattr(error, "context_mark", None) or mark
    return mark.line + 1 if mark is not None else 1


def _what(error: Exception) -> str:
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or error
    return " ".join(str(said).split())


def _document(file: str, root: Node | None) -> Document:
    if not isinstance(root, MappingNode):
        line = root.start_mark.line + 1 if root is not None else 1
        found = "empty" if root is None else "not a mapping"
        remedy = "project, defaults and environments, as in docs/reference/configuration.md"
        raise refuse(file, [Problem(line, "", f"the file is {found}", remedy)])
    reader = _Reader()
    values = reader.read(root, ())
    if reader.problems:
        raise refuse(file, reader.problems)
    return Document(file, values, reader.lines, reader.typed)


class _Reader:
    """Turns nodes into values, and remembers where each came from."""

    def __init__(self) -> None:
        self.lines: dict[Path_, int] = {}
        self.typed: dict[Path_, str] = {}
        self.problems: list[Problem] = []
        self._constructor = yaml.SafeLoader("")
        self._open: set[int] = set()
        self._count = 0

    def read(self, node: Node, path: Path_) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        self._count += 1
        if self._count > MAX_NODES or id(node) in self._open:
            if not self.problems:
                self._refuse(node, path, "aliases grow without end", "the values themselves")
            return None
        self._open.add(id(node))
        try:
            return self._value(node, path)
        finally:
            self._open.discard(id(node))

    def _value(self, node: Node, path: Path_) -> Any:
        if not isinstance(node, ScalarNode) and node.tag not in PLAIN_TAGS:
            self._refuse(node, path, f'the tag "{node.tag}" is not read here', "it without a tag")
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        self.typed[path] = node.value
        return self._scalar(node, path)

    def _scalar(self, node: Node, path: Path_) -> Any:
        try:
            return self._constructor.construct_object(node)
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            self._refuse(
                node, path, f"the value cannot be read: {_what(error)}", "plain text or a number"
            )
            return None

    def _mapping(self, node: MappingNode, path: Path_) -> dict[Any, Any]:
        self._refuse_twins(node, path)
        values: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            if key is not None:
                self.lines[(*path, key)] = key_node.start_mark.line + 1
                values[key] = self.read(value_node, (*path, key))
        return values

    def _key(self, node: Node, path: Path_) -> str | None:
        if node.tag == MERGE_TAG:
            self._refuse(node, path, "<< is not read here", "what environments share, in defaults")
            return None
        if isinstance(node, ScalarNode):
            key = self._scalar(node, path)
            if isinstance(key, str):
                return key
        self._refuse(node, path, "a key is not text", "a name, in quotes if it is a number")
        return None

    def _refuse_twins(self, node: MappingNode, path: Path_) -> None:
        first: dict[str, int] = {}
        for key_node, _ in node.value:
            if not isinstance(key_node, ScalarNode):
                continue
            key = key_node.value
            if key in first:
                problem = f'"{key}" stands here twice, first in line {first[key]}'
                self._refuse(key_node, (*path, key), problem, "it once")
            first.setdefault(key, key_node.start_mark.line + 1)

    def _refuse(self, node: Node, path: Path_, problem: str, remedy: str) -> None:
        dotted = ".".join(str(part) for part in path)
        self.problems.append(Problem(node.start_mark.line + 1, dotted, problem, remedy))
