"""words: a value whose option is not named; a reader that goes away."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from verbs.words import OPTIONS, SHOWN, end_with_the_pipe, named

ROOT = Path(__file__).parents[3]
VERBS = {*OPTIONS, "mirror.sync"}


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("mirror.probe https://m.example", "mirror.probe --url https://m.example"),
        ("mirror.import parcel --env dev", "mirror.import --from parcel --env dev"),
        ("oidc.explain -", "oidc.explain --claims -"),
        ("mirror.sync mirror.why jq -j", "mirror.sync mirror.why --formula jq -j"),
        ("mirror.probe --env dev", "mirror.probe --env dev"),
        ("mirror.probe --help", "mirror.probe --help"),
        ("mirror.probe --url https://m.example", "mirror.probe --url https://m.example"),
        ("mirror.why mirror.sync", "mirror.why mirror.sync"),
        ("mirror.why", "mirror.why"),
        ("mirror.sync jq", "mirror.sync jq"),
        ("", ""),
    ],
)
def test_the_option_is_put_in_where_its_value_follows_the_verb(typed, read):
    assert named(typed.split(), VERBS) == read.split()


def test_each_option_is_one_of_its_verb(namespace):
    for verb, option in OPTIONS.items():
        names = {
            f"--{name.rstrip('_')}"
            for each in namespace[verb].get_arguments()
            for name in each.names
        }

        assert option in names


def test_inv_takes_the_word_for_the_option():
    bare, named_too = (_run("mirror.probe", *words, "ftp://m.example") for words in ([], ["--url"]))

    assert "ftp://m.example" in bare.stderr
    assert (bare.returncode, bare.stderr) == (named_too.returncode, named_too.stderr)


@pytest.mark.parametrize("words", ["--list", "-l", "mirror.plan --help", "--help mirror.plan"])
def test_a_reader_that_goes_away_is_no_traceback(words):
    shell = f"set -o pipefail; {sys.executable} -m invoke {words} | head -1"

    ended = subprocess.run(
        ["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ended.stdout
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("words", ["mirror.report -h page.html", "ci.plan -l", "deploy --env dev"])
def test_a_verb_that_does_something_is_not_cut_off_by_its_reader(words):
    before = signal.getsignal(signal.SIGPIPE)

    end_with_the_pipe(["inv", *words.split()])

    assert signal.getsignal(signal.SIGPIPE) == before


def test_no_verb_has_an_option_that_is_taken_for_invoke_s_own(namespace):
    for verb in namespace.task_names:
        names = {f"--{name}" for each in namespace[verb].get_arguments() for name in each.names}

        assert not names & SHOWN, verb


def _run(*words):
    command = [sys.executable, "-m", "invoke", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
