"""What a Brewfile asks for: formulae, casks and taps; what it says else, told and left alone.

It is Ruby that `brew bundle` runs; only its plain statements are understood here, so that
reading one never runs code. Source: Homebrew/brew, ``bundle/dsl.rb``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

CORE = ("homebrew/core/", "homebrew/cask/")
# Statements that fetch nothing which a mirror of Homebrew holds.
IGNORED = {
    *("mas", "vscode", "whalebrew", "go", "cargo", "uv", "npm", "krew", "flatpak", "winget"),
    "cask_args",
}
KNOWN = {"brew", "cask", "tap", *IGNORED}
CLOSING = {"[": "]", "{": "}", "(": ")"}

_NAME = r"[A-Za-z0-9][A-Za-z0-9@+._-]*"
_WORDS = r"""
      (?P<space>   [ \t\r]+ | \\\n | \#[^\n]* )
    | (?P<newline> \n | ; )
    | (?P<label>   [A-Za-z_]\w*: (?!:) | "[^"\\\n\#]*": )
    | (?P<string>  "(?: [^"\\\n\#] | \\. | \#(?!\{) )*" | '(?: [^'\\\n] | \\. )*' )
    | (?P<symbol>  :[A-Za-z_]\w*[?!]? | :"[^"\\\n\#]*" )
    | (?P<word>    [A-Za-z_]\w*[?!]? )
    | (?P<number>  -?\d[\d_.]* )
    | (?P<mark>    => | [\[\]{}(),] )
    """


class BadBrewfile(Exception):
    """A line that is not understood; `problem` says which, with its number."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line, self.problem = line, problem


@dataclass(frozen=True)
class Brewfile:
    """What the file asks for, in its order.

    Args:
        formulae, casks: names, without their tap where that is Homebrew's own.
        taps: line number, and ``owner/name``.
        tapped: line number, and formula or cask of another tap, ``owner/name/formula``.
        notes: line number → what was left alone there.
    """

    formulae: list[str] = field(default_factory=list)
    casks: list[str] = field(default_factory=list)
    taps: list[tuple[int, str]] = field(default_factory=list)
    tapped: list[tuple[int, str]] = field(default_factory=list)
    notes: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int


def parse(text: str) -> Brewfile:
    """Read a Brewfile's text.

    Raises:
        BadBrewfile: a line holds more than a plain statement: a condition, a variable, code.
    """
    reader = _Reader(list(_tokens(text)))
    found = Brewfile()
    while (token := reader.next_statement()) is not None:
        _add(found, token, reader.arguments())
    return found


def _add(found: Brewfile, token: _Token, arguments: list[Any]) -> None:
    if token.text in IGNORED:
        found.notes[token.line] = f"{token.text} is nothing that a mirror holds"
        return
    name = arguments[0] if arguments else None
    if not isinstance(name, str):
        raise BadBrewfile(token.line, f"{token.text} without a name in quotes")
    if token.text == "tap":
        found.taps.append((token.line, name))
        return
    for prefix in CORE:
        name = name.removeprefix(prefix)
    if "/" in name:
        found.tapped.append((token.line, name))
        return
    if not re.fullmatch(_NAME, name):
        raise BadBrewfile(token.line, f'"{name}" is no name of a formula or cask')
    if token.text == "cask":
        found.casks.append(name)
        return
    found.formulae.append(name)


def _tokens(text: str) -> Iterator[_Token]:
    token, position, line = re.compile(_WORDS, re.VERBOSE), 0, 1
    while position < len(text):
        match = token.match(text, position)
        if match is None:
            rest = text[position:].partition("\n")[0]
            raise BadBrewfile(line, f'"{rest}" is not understood')
        if match.lastgroup != "space":
            yield _Token(str(match.lastgroup), match[0], line)
        line += match[0].count("\n")
        position = match.end()
    yield _Token("newline", "\n", line)


class _Reader:
    """Takes the tokens one statement at a time."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def next_statement(self) -> _Token | None:
        """The word that the next statement begins with; None at the end."""
        self._skip_newlines()
        if self._at == len(self._tokens):
            return None
        token = self._take()
        if token.kind != "word" or token.text not in KNOWN:
            raise self._not_understood(token)
        return token

    def arguments(self) -> list[Any]:
        """Its values in order; a labelled one as ``{label: value}``."""
        if self._peek().text == "(":
            self._take()
            values = self._values(")")
        else:
            values = self._values_of_line()
        if (after := self._take()).kind != "newline":
            raise self._not_understood(after)
        return values

    def _values_of_line(self) -> list[Any]:
        values = []
        while self._peek().kind != "newline":
            values.append(self._argument())
            if self._peek().text != ",":
                break
            self._take()
            self._skip_newlines()
        return values

    def _values(self, closing: str) -> list[Any]:
        """Up to the closing bracket, which is taken; lines may end anywhere in between."""
        values = []
        self._skip_newlines()
        while self._peek().text != closing:
            values.append(self._argument())
            self._skip_newlines()
            if self._peek().text == ",":
                self._take()
                self._skip_newlines()
            elif self._peek().text != closing:
                raise self._not_understood(self._peek())
        self._take()
        return values

    def _argument(self) -> Any:
        token = self._take()
        if token.kind == "label":
            return {token.text.rstrip(":").strip('"'): self._argument()}
        value = self._value(token)
        if self._peek().text == "=>":
            self._take()
            return {str(value): self._argument()}
        return value

    def _value(self, token: _Token) -> Any:
        if token.kind == "string":
            return re.sub(r"\\(.)", r"\1", token.text[1:-1])
        if token.kind in {"symbol", "number"} or token.text in {"true", "false", "nil"}:
            return (token.text,)  # Never to be mistaken for a name.
        if token.kind == "mark" and token.text in "[{":
            return self._values(CLOSING[token.text])
        raise self._not_understood(token)

    def _peek(self) -> _Token:
        # The last token is a newline, so that only an unclosed bracket reads beyond it.
        return self._tokens[min(self._at, len(self._tokens) - 1)]

    def _take(self) -> _Token:
        if self._at == len(self._tokens):
            raise BadBrewfile(self._tokens[-1].line, "the file ends within a bracket")
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip_newlines(self) -> None:
        while self._at < len(self._tokens) and self._tokens[self._at].kind == "newline":
            self._at += 1

    def _not_understood(self, token: _Token) -> BadBrewfile:
        text = "the end of the line" if token.kind == "newline" else f'"{token.text}"'
        return BadBrewfile(token.line, f"{text} is not understood here")
