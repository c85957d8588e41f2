"""docs.*: docs/reference/tasks.md says what the verbs say, and is mended where it does not."""

from __future__ import annotations

import pytest
from invoke.collection import Collection

from verbs import docs
from verbs.verb import verb


@verb(help={"env": "which | where", "dry-run": "only look", "names": "may be repeated"})
def sample(context, env="dev", dry_run=False, names=""):
    """Do something worth a sentence.

    With more to say about it.

    Example: inv sample --env dev
    """


def test_a_verb_is_told_with_its_sentence_example_and_options():
    assert docs.reference(Collection(sample)) == (
        "\n## sample\n\n"
        "Do something worth a sentence.\n\nWith more to say about it.\n\n"
        "```shell\ninv sample --env dev\n```\n\n"
        "| option | what it says | default |\n"
        "| --- | --- | --- |\n"
        "| `--env`, `-e` | which \\| where | `dev` |\n"
        "| `--dry-run`, `-d` | only look | off |\n"
        "| `--names`, `-n` | may be repeated |  |"
    )


def test_the_page_is_current(inv):
    ended = inv("docs.tasks", "--check")

    assert (ended.code, ended.err) == (0, ""), "run: inv docs.tasks"


def test_the_page_has_every_verb(namespace):
    page = docs.PAGE.read_text()

    assert [name for name in namespace.task_names if f"\n## {name}\n" not in page] == []


@pytest.mark.parametrize("damage", [("build", "dig"), ("off", "on")])
def test_a_page_that_is_not_current_is_told_and_mended(inv, tmp_path, monkeypatch, damage):
    stale = tmp_path / "tasks.md"
    stale.write_text(docs.PAGE.read_text().replace(*damage))
    monkeypatch.setattr(docs, "PAGE", stale)

    checked, written = inv("docs.tasks", "--check"), inv("docs.tasks")

    assert checked.code == 1
    assert checked.err == f"error: {stale} is not current; write it: inv docs.tasks\n"
    assert (written.code, inv("docs.tasks", "--check").code) == (0, 0)
