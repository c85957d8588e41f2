"""schema.yaml itself: every key is explained, and its default and example obey its own rule."""

from __future__ import annotations

import pytest
import yaml
from cerberus import SchemaError, Validator

from delivery.config import schema
from delivery.paths import ROOT

PARTS = schema.rules()
KEYS = {
    ".".join((part, *path)): rule for part in PARTS for path, rule in schema.leaves(PARTS[part])
}
TYPES = {"development", "staging", "production"}


def obeys(rule, value) -> bool:
    return Validator({"key": rule}).validate({"key": value})


@pytest.mark.parametrize("key", KEYS)
def test_a_key_says_what_it_means_in_one_sentence(key):
    meta = KEYS[key]["meta"]

    assert meta["help"].endswith(".")
    assert meta["help"].count(". ") == 0
    assert ("regex" in KEYS[key]) == ("form" in meta)


@pytest.mark.parametrize("key", KEYS)
def test_its_default_obeys_its_own_rule(key):
    rule = KEYS[key]
    meta = rule["meta"]

    if rule.get("required"):
        assert "default" not in meta
    elif "default_by_type" in meta:
        assert set(meta["default_by_type"]) == TYPES
        assert all(obeys(rule, value) for value in meta["default_by_type"].values())
    else:
        assert obeys(rule, meta["default"])


@pytest.mark.parametrize("key", KEYS)
def test_its_example_can_be_typed_as_it_stands(key):
    example = KEYS[key]["meta"]["example"]
    typed = example if isinstance(example, str) else str(example).lower()

    assert obeys(KEYS[key], yaml.safe_load(typed))


def test_both_of_yaml_s_parsers_read_the_schema_alike():
    """libyaml is more lenient than YAML is; where it is not built in, the strict one reads."""
    text = (ROOT / "config" / "schema.yaml").read_text()

    assert yaml.safe_load(text) == PARTS


def test_cerberus_takes_every_rule():
    """Checking the file, we trust the rules; here they are checked themselves."""
    Validator(schema.document_rules())

    with pytest.raises(SchemaError):
        Validator({"project": {"type": "dict", "schema": {"name": {"sort": "text"}}}})
