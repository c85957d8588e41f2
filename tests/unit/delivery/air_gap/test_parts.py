"""parts: a parcel cut up and put together again; what is lacking is named, and only that."""

from __future__ import annotations

import json
import random
import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from delivery.air_gap import parts
from delivery.errors import BadInput, PartsMissing, UntrustedParcel
from tests.doubles.far_side import files_of

PART_BYTES = 700


@pytest.fixture
def cut(far, parcel, tmp_path):
    """The parcel in parts of 700 bytes."""
    parts.pack(parcel, tmp_path / "parts", far.key, PART_BYTES, lambda _: None)
    return tmp_path / "parts"


def unpack(far, cut, folder):
    return parts.unpack(cut, folder, far.key.public_key(), lambda _: None)


def same(one, other):
    names = files_of(one)
    assert files_of(other) == names
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def part_files(cut):
    return sorted(cut.glob("*.part"))


def test_parts_are_of_one_size_and_named_by_their_digest(cut):
    listed = json.loads((cut / "parts.json").read_bytes())["parts"]

    assert {size for _, size in listed[:-1]} == {PART_BYTES}
    assert {name for name, _ in listed} == {path.name for path in part_files(cut)}
    assert len(listed) > 5


@examples(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(part_bytes=st.integers(1, 20_000))
def test_whatever_their_size_they_make_the_same_parcel(far, parcel, tmp_path, part_bytes):
    for name in ("parts", "again"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    # Parts of a byte would be thousands of files.
    size = max(part_bytes, 64)

    parts.pack(parcel, tmp_path / "parts", far.key, size, lambda _: None)
    unpack(far, tmp_path / "parts", tmp_path / "again")

    assert same(parcel, tmp_path / "again")


def test_what_was_put_together_is_imported_as_any_parcel(first, far, cut, tmp_path):
    unpack(far, cut, tmp_path / "again")

    assert far.bring(tmp_path / "again").snapshot == first


def test_lost_and_spoilt_parts_are_all_named_and_nothing_is_written(far, cut, tmp_path):
    lost, spoilt, short, *sound = part_files(cut)
    lost.unlink()
    spoilt.write_bytes(spoilt.read_bytes()[:-1] + b"!")
    short.write_bytes(short.read_bytes()[:-1])

    with pytest.raises(PartsMissing) as refusal:
        unpack(far, cut, tmp_path / "again")

    told = str(refusal.value)
    assert f"{lost.name} is not there" in told
    assert f"{spoilt.name} is spoilt" in told
    assert f"{short.name} is spoilt" in told
    assert not any(path.name in told for path in sound)
    assert not (tmp_path / "again").exists()


def test_only_what_was_lacking_has_to_be_brought_again(far, parcel, cut, tmp_path):
    lost = random.Random(1).choice(part_files(cut))
    shutil.move(lost, tmp_path / "elsewhere")
    with pytest.raises(PartsMissing):
        unpack(far, cut, tmp_path / "again")

    shutil.move(tmp_path / "elsewhere", lost)
    unpack(far, cut, tmp_path / "again")

    assert same(parcel, tmp_path / "again")


def test_packing_again_gives_the_same_parts(far, parcel, cut):
    before = [path.name for path in part_files(cut)]

    parts.pack(parcel, cut, far.key, PART_BYTES, lambda _: None)

    assert [path.name for path in part_files(cut)] == before


def test_a_link_in_place_of_a_part_is_not_followed(far, cut, tmp_path):
    part = part_files(cut)[0]
    shutil.move(part, tmp_path / "elsewhere")
    part.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(PartsMissing, match="is not there"):
        unpack(far, cut, tmp_path / "again")


def test_a_list_by_another_key_is_refused(far, cut, tmp_path):
    far.key = Ed25519PrivateKey.generate()

    with pytest.raises(UntrustedParcel):
        unpack(far, cut, tmp_path / "again")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": "airbrew-parts-2"}, "the format is"),
        ({"files": [["../evil", 1]]}, "is not a path of a mirror"),
        ({"files": [["syncs/lease.json", 1]]}, "is not a path of a mirror"),
        ({"parts": [["../evil", 1]]}, "is not the name of a part"),
        ({"files": [["parcel.json", 1]]}, "do not add up"),
        ({"files": 7}, "not the list of parts"),
    ],
)
def test_a_list_of_another_form_is_refused(far, cut, tmp_path, change, told):
    document = json.loads((cut / "parts.json").read_bytes()) | change
    body = json.dumps(document).encode()
    (cut / "parts.json").write_bytes(body)
    (cut / "parts.json.sig").write_bytes(far.key.sign(body))

    with pytest.raises(UntrustedParcel, match=told):
        unpack(far, cut, tmp_path / "again")


def test_what_is_no_parcel_and_no_folder_of_parts_is_told(far, tmp_path):
    with pytest.raises(BadInput, match=r"there is no parcel\.json"):
        parts.pack(tmp_path, tmp_path / "parts", far.key, 1, lambda _: None)
    with pytest.raises(BadInput, match=r"there is no parts\.json"):
        unpack(far, tmp_path, tmp_path / "again")
