"""Types, ranges and allowed values of config/airbrew.yaml: all problems at once (Cerberus)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from cerberus import Validator
from cerberus import errors as codes
from cerberus.errors import BaseErrorHandler, ValidationError
from cerberus.schema import UnvalidatedSchema

from delivery.config import loading
from delivery.config.loading import Document, Path_
from delivery.config.problems import Problem
from delivery.errors import BadInput
from delivery.paths import SCHEMA_FILE

Keys = tuple[str, ...]
PLATFORM: Path_ = ("defaults", "selection", "platforms", 0)

# Each has a Terraform root of its own; the type is what one would expect of it.
ENVIRONMENTS = {"dev": "development", "staging": "staging", "prod": "production"}
TYPE_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "list": "a list",
    "dict": "a group of keys",
}


@cache
def rules() -> Mapping[str, Any]:
    """config/schema.yaml: `project`, `environment` and `settings`, each name → Cerberus rules."""
    found: Mapping[str, Any] = loading.trusted(SCHEMA_FILE)
    return found


@cache
def document_rules() -> Mapping[str, Any]:
    """The rules of the whole file, put together from the parts of config/schema.yaml."""
    parts = rules()
    environment = {**parts["environment"], **parts["settings"]}
    return {
        "project": _group(parts["project"], "{name: airbrew}"),
        "defaults": {"type": "dict", "schema": parts["settings"]},
        "environments": _group(
            {name: _group(environment, f"{{type: {kind}}}") for name, kind in ENVIRONMENTS.items()},
            "dev: {type: development}",
        ),
    }


def _group(rules: Mapping[str, Any], example: str) -> Mapping[str, Any]:
    return {"type": "dict", "required": True, "schema": rules, "meta": {"example": example}}


def leaves(rules: Mapping[str, Any], above: Keys = ()) -> Iterator[tuple[Keys, Mapping[str, Any]]]:
    """Every key that has a value, with its rule; groups of keys are gone through."""
    for key, rule in rules.items():
        if rule["type"] == "dict":
            yield from leaves(rule["schema"], (*above, key))
        else:
            yield (*above, key), rule


def check(document: Document) -> list[Problem]:
    """Everything in the file that its schema does not allow."""
    validator = Validator(_trusted(document_rules()), error_handler=_Flat)
    # Nothing to normalize: defaults are ours to fill in, since they depend on the type.
    validator.validate(document.values, normalize=False)
    return [_problem(document, error) for error in validator.errors]


def check_typed(value: str, path: Path_, option: str) -> None:
    """Hold what was typed on a command line against the rule of a setting.

    Raises:
        BadInput: the setting would not take it.
    """
    rule = _rules_at(path)
    if not _fits(value, rule):
        raise BadInput(
            f'"{value}" is none of the values that are known here',
            where=option,
            remedy=f"write {_near(value, rule.get('allowed', ())) or _expected(rule)}",
        )


def _trusted(rules: Mapping[str, Any]) -> UnvalidatedSchema:
    """The rules as Cerberus takes them without checking the rules themselves.

    That takes twice as long as checking the file, each time; a test does it once.
    """
    return UnvalidatedSchema(
        {
            name: {**rule, "schema": _trusted(rule["schema"])} if rule["type"] == "dict" else rule
            for name, rule in rules.items()
        }
    )


class _Flat(BaseErrorHandler):  # type: ignore[misc] # Cerberus has no types
    """Hands out the errors as they are, the nested ones unwrapped."""

    def __call__(self, errors: Iterable[ValidationError]) -> list[ValidationError]:
        return list(_flattened(errors))


def _flattened(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    for error in errors:
        if error.is_group_error:
            yield from _flattened(error.child_errors)
        else:
            yield error


def _problem(document: Document, error: ValidationError) -> Problem:
    path = tuple(error.document_path)
    rule = _rules_at(path)
    if error.code == codes.UNKNOWN_FIELD.code:
        problem, remedy = _unknown(path)
    elif error.code == codes.REQUIRED_FIELD.code:
        problem, remedy = "the key is missing", _expected(rule)
    else:
        found = _found(document, path, error.value)
        problem, remedy = _unfit(error, rule, found), _instead(error, rule, found)
    return Problem(document.line_of(path), dotted(path), problem, remedy)


def dotted(path: Sequence[str | int]) -> str:
    """``environments.dev.region``."""
    return ".".join(str(part) for part in path)


def _rules_at(path: Sequence[str | int]) -> Mapping[str, Any]:
    """The rules of the key at `path`; of a list's items where the path goes into a list."""
    found: Mapping[str, Any] = {"schema": document_rules()}
    for part in path:
        inner = found.get("schema", {})
        found = inner if isinstance(part, int) else inner.get(part, {})
    return found


def _unknown(path: Sequence[str | int]) -> tuple[str, str]:
    known = list(_rules_at(path[:-1])["schema"])
    return f'unknown key "{path[-1]}"', _near(str(path[-1]), known) or f"one of {_listed(known)}"


def _found(document: Document, path: Path_, value: Any) -> str:
    """The value as it was typed, text in quotes; of what is not a scalar, its kind."""
    if isinstance(value, Mapping):
        return TYPE_WORDS["dict"]
    if isinstance(value, list):
        return TYPE_WORDS["list"]
    typed = document.typed.get(path, str(value))
    return f'"{typed}"' if isinstance(value, str) else typed


def _unfit(error: ValidationError, rule: Mapping[str, Any], found: str) -> str:
    if error.value is None:
        return "the key has no value"
    words = {
        codes.BAD_TYPE.code: f"{found} is not {TYPE_WORDS[rule['type']]}",
        codes.MIN_LENGTH.code: "the list is empty",
        codes.MIN_VALUE.code: f"{error.value} is less than {error.constraint}",
        codes.MAX_VALUE.code: f"{error.value} is more than {error.constraint}",
        codes.UNALLOWED_VALUE.code: f"{found} is none of the values that are known here",
        codes.REGEX_MISMATCH.code: f"{found} is not {rule.get('meta', {}).get('form')}",
    }
    return words[error.code]


def _instead(error: ValidationError, rule: Mapping[str, Any], found: str) -> str:
    typed = found.strip('"')
    if error.code == codes.BAD_TYPE.code and rule["type"] == "string" and _fits(typed, rule):
        return f'"{typed}", in quotes'
    if error.code == codes.BAD_TYPE.code and "min" in rule and typed.isdecimal():
        return f"{typed}, without quotes"
    if error.code == codes.UNALLOWED_VALUE.code:
        return _near(typed, rule["allowed"]) or _expected(rule)
    return _expected(rule)


def _fits(text: str, rule: Mapping[str, Any]) -> bool:
    """Whether the text would do, were it text to YAML, too."""
    return text in rule.get("allowed", [text]) and bool(re.fullmatch(rule.get("regex", ".*"), text))


def _near(text: str, known: Sequence[Any]) -> str:
    near = difflib.get_close_matches(text, [str(each) for each in known], n=1)
    return f'"{near[0]}", if that is what you mean' if near else ""


def _expected(rule: Mapping[str, Any]) -> str:
    meta = rule.get("meta", {})
    such_as = f", for example {_as_yaml(meta['example'])}" if "example" in meta else ""
    if "allowed" in rule:
        return f"one of {_listed(rule['allowed'])}"
    if "min" in rule:
        return f"{TYPE_WORDS[rule['type']]} from {rule['min']} to {rule['max']}{such_as}"
    if rule.get("type") == "dict":
        keys = such_as or f": {_listed(rule['schema'])}"
        return f"a group of keys{keys}"
    return f"{meta.get('form') or TYPE_WORDS[rule['type']]}{such_as}"


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(str(value) for value in values)


def _as_yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
