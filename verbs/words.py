"""The command line before Invoke reads it: options without their name, and text that is cut off."""

from __future__ import annotations

import signal
from collections.abc import Container, Mapping, Sequence

from invoke.collection import Collection
from invoke.main import program

OPTIONS: Mapping[str, str] = {
    "mirror.import": "--from",
    "mirror.probe": "--url",
    "mirror.why": "--formula",
    "oidc.explain": "--claims",
}
# What Invoke itself prints, and then ends; after a verb a single letter is an option of the verb's.
SHOWN, SHOWN_FIRST = frozenset({"--help", "--list", "--version"}), frozenset({"-h", "-l", "-V"})


def end_with_the_pipe(command_line: Sequence[str]) -> None:
    """Let ``inv --list | head`` end as other programs do, where Invoke shows a traceback.

    Only where nothing but Invoke's own text is asked for: whatever else is done must not be cut
    off by who reads of it.
    """
    is_shown = SHOWN.intersection(command_line) or SHOWN_FIRST.intersection(command_line[1:2])
    if is_shown and hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def name_options(namespace: Collection) -> None:
    """Let the `inv` that is loading the verbs see ``--url`` in ``mirror.probe https://…``.

    Invoke's own positional options cannot be left out, and take ``--help`` for their value. It
    has set its own options aside by now, and reads the rest once the verbs are loaded.
    """
    parsed = getattr(program, "core", None)
    if parsed is not None:  # Whoever else loads the verbs has no command line of ours.
        parsed.unparsed = named(parsed.unparsed, namespace.task_names)


def named(words: Sequence[str], verbs: Container[str]) -> list[str]:
    """``["mirror.probe", "https://…"]`` as ``["mirror.probe", "--url", "https://…"]``."""
    found: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        is_value = word == "-" or not word.startswith("-")
        if before in OPTIONS and is_value and word not in verbs:
            found.append(OPTIONS[before])
        found.append(word)
    return found
