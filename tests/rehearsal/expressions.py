"""GitHub's expressions, for the subset that our workflows use; all else is refused.

Source: GitHub, "Evaluate expressions in workflows and actions": literals, operators, functions,
loose equality, and that ``&&`` and ``||`` give one of their operands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<operator>&&|\|\||==|!=|[!().,\[\]])"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_-]*))"
)
TEMPLATE = re.compile(r"\$\{\{((?:(?!\}\}).)*)\}\}", re.S)
STATUS = ("always", "cancelled", "failure", "success")
CONSTANTS = {"true": True, "false": False, "null": None}


class Refused(AssertionError):
    """Something outside of the subset: the rehearsal would not know what GitHub does."""


def evaluate(text: str, contexts: Mapping[str, Any], status: Mapping[str, bool]) -> Any:
    """The value of one expression; `status` says what ``success()`` and its likes give."""
    parser = _Parser(_tokens(text), contexts, status)
    value = parser.either()
    if parser.rest:
        raise Refused(f"{text!r}: unexpected {parser.rest[0]!r}")
    return value


def fill(value: Any, contexts: Mapping[str, Any], status: Mapping[str, bool]) -> Any:
    """A value of a workflow with its ``${{ }}`` filled in; a lone one keeps its type."""
    if isinstance(value, Mapping):
        return {key: fill(each, contexts, status) for key, each in value.items()}
    if isinstance(value, list):
        return [fill(each, contexts, status) for each in value]
    if not isinstance(value, str):
        return value
    whole = TEMPLATE.fullmatch(value.strip())
    if whole:
        return evaluate(whole[1], contexts, status)
    return TEMPLATE.sub(lambda found: spelt(evaluate(found[1], contexts, status)), value)


def condition(text: Any, contexts: Mapping[str, Any], status: Mapping[str, bool]) -> bool:
    """An `if`: without a function of status in it, it also wants ``success()``."""
    if text is None:
        return status["success"]
    bare = TEMPLATE.fullmatch(str(text).strip())
    expression = bare[1] if bare else str(text)
    value = truth(evaluate(expression, contexts, status))
    asks = any(re.search(rf"\b{name}\(", expression) for name in STATUS)
    return value if asks else value and status["success"]


def spelt(value: Any) -> str:
    """A value as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (Mapping, list)):
        raise Refused(f"an object in the middle of a text: {value!r}")
    return str(value)


def truth(value: Any) -> bool:
    """False, 0, '' and null are false; objects and lists, even empty ones, are true."""
    return value not in (False, 0, "", None) or isinstance(value, (Mapping, list))


def _tokens(text: str) -> list[str]:
    found, at, text = [], 0, text.strip()
    while at < len(text):
        token = TOKEN.match(text, at)
        if token is None:
            raise Refused(f"{text!r}: cannot read {text[at:]!r}")
        found.append(token[0].strip())
        at = token.end()
    return found


class _Parser:
    """Recursive descent: ``||`` binds least, then ``&&``, equality, ``!``, and properties."""

    def __init__(
        self, tokens: list[str], contexts: Mapping[str, Any], status: Mapping[str, bool]
    ) -> None:
        self.rest, self.contexts, self.status = tokens, contexts, status

    def either(self) -> Any:
        value = self.both()
        while self._take("||"):
            other = self.both()
            value = value if truth(value) else other
        return value

    def both(self) -> Any:
        value = self.equality()
        while self._take("&&"):
            other = self.equality()
            value = other if truth(value) else value
        return value

    def equality(self) -> Any:
        value = self.negation()
        if self._take("=="):
            return _equal(value, self.negation())
        if self._take("!="):
            return not _equal(value, self.negation())
        return value

    def negation(self) -> Any:
        if self._take("!"):
            return not truth(self.negation())
        return self.properties(self.primary())

    def properties(self, value: Any) -> Any:
        while self.rest and self.rest[0] in {".", "["}:
            if self._take("."):
                key = self.rest.pop(0)
            else:
                self._expect("[")
                key = self.either()
                self._expect("]")
            value = _property(value, key)
        return value

    def primary(self) -> Any:
        if not self.rest:
            raise Refused("an expression ends too early")
        token = self.rest.pop(0)
        if token == "(":
            value = self.either()
            self._expect(")")
            return value
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if re.fullmatch(r"-?\d+(\.\d+)?", token):
            return float(token)
        if token in CONSTANTS:
            return CONSTANTS[token]
        return self._call(token) if self.rest[:1] == ["("] else self._context(token)

    def _context(self, name: str) -> Any:
        if name not in self.contexts:
            raise Refused(f"no context {name!r} here")
        return self.contexts[name]

    def _call(self, name: str) -> Any:
        self._expect("(")
        arguments = []
        while not self._take(")"):
            arguments.append(self.either())
            self._take(",")
        if name in STATUS:
            return self.status[name]
        if name not in FUNCTIONS:
            raise Refused(f"no function {name!r} in the subset")
        return FUNCTIONS[name](*arguments)

    def _take(self, token: str) -> bool:
        if self.rest[:1] == [token]:
            self.rest.pop(0)
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise Refused(f"{token!r} expected before {self.rest[:1]}")


def _property(value: Any, key: Any) -> Any:
    if isinstance(value, list):
        return value[int(key)] if int(key) < len(value) else None
    return value.get(key) if isinstance(value, Mapping) else None


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    if type(one) is type(other) or one is None or other is None:
        return bool(one == other)
    raise Refused(f"{one!r} is compared with {other!r}: GitHub would make numbers of them")


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "fromJSON": json.loads,
    "toJSON": lambda value: json.dumps(value, indent=2),
}
