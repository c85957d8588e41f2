"""archives: the bytes of a zip depend on the names and bytes of its members only."""

from __future__ import annotations

import hashlib
import io
import os
import random
import stat
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.artifacts import archives

part = st.text("abcXYZ_-09ü", min_size=1, max_size=6)
names = st.lists(part, min_size=1, max_size=3).map("/".join)
trees = st.dictionaries(names, st.binary(max_size=99), max_size=6).filter(
    lambda tree: not any(a != b and b.startswith(f"{a}/") for a in tree for b in tree)
)


def written(folder: Path, files: dict[str, bytes], noise: random.Random) -> Path:
    """The files in a folder, made in some order, at some time, with some mode."""
    for name in noise.sample(sorted(files), len(files)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[name])
        path.chmod(noise.choice([0o600, 0o644, 0o664, 0o755]))
        os.utime(path, (noise.randrange(2**31), noise.randrange(2**31)))
    return folder


@settings(deadline=None)
@given(trees, st.randoms(use_true_random=False))
def test_any_tree_gives_the_same_bytes_from_everywhere(files, noise):
    with tempfile.TemporaryDirectory() as here, tempfile.TemporaryDirectory() as there:
        first = archives.pack(archives.tree(written(Path(here), files, noise), "p/"))
        second = archives.pack(archives.tree(written(Path(there), files, noise), "p/"))

    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"p/{name}": body for name, body in files.items()
        }


@given(trees.filter(bool), st.data())
def test_any_changed_byte_or_name_gives_other_bytes(files, data):
    changed = dict(files)
    name = data.draw(st.sampled_from(sorted(files)))
    changed[name] += b"!"
    renamed = {f"{each}2" if each == name else each: body for each, body in files.items()}

    digests = set()
    for each in (files, changed, renamed):
        with tempfile.TemporaryDirectory() as folder:
            tree = archives.tree(written(Path(folder), each, random.Random(1)))
            digests.add(archives.pack(tree))

    assert len(digests) == 3


@pytest.mark.parametrize(
    ("name", "mode"), [("a.py", 0o644), ("a.so", 0o755), ("a.so.3", 0o755), ("a.sorted", 0o644)]
)
def test_shared_libraries_may_be_executed_and_all_may_be_read(tmp_path, name, mode):
    (tmp_path / name).touch(mode=0o600)

    packed = archives.pack(archives.tree(tmp_path))

    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        entry = archive.getinfo(name)
    assert entry.external_attr >> 16 == stat.S_IFREG | mode
    assert entry.date_time == (1980, 1, 1, 0, 0, 0)
    assert entry.compress_type == zipfile.ZIP_STORED


@pytest.mark.parametrize(
    "left_out", ["a.pyc", "__pycache__/a.cpython-313.pyc", ".DS_Store", "x/.git/config", "x/.a.py"]
)
def test_caches_and_hidden_files_stay_out(tmp_path, left_out):
    (tmp_path / left_out).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / left_out).touch()
    (tmp_path / "kept.py").touch()

    assert archives.tree(tmp_path, "p/") == {"p/kept.py": tmp_path / "kept.py"}


def test_the_format_is_the_one_that_digests_in_the_field_have(tmp_path):
    """A change here is a change of every artifact: raise archives.FORMAT with it."""
    (tmp_path / "a.py").write_text("a = 1\n")

    packed = archives.pack(archives.tree(tmp_path))

    assert archives.FORMAT == 1
    assert hashlib.sha256(packed).hexdigest() == (
        "9aec3673ac63ab4876044d0d8aa5a63725f715d02d8deaa8a236537dafe6adb4"
    )
