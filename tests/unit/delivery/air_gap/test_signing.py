"""signing: the organisation's own keys, and what is no key."""

from __future__ import annotations

import pytest

from delivery.air_gap import signing
from delivery.air_gap.parcel import Parcel
from delivery.errors import BadInput, UntrustedParcel


def test_a_pair_of_keys_signs_and_checks_and_is_for_its_owner_only(tmp_path):
    public = signing.make_pair(tmp_path / "key")

    private_key = signing.private_key(str(tmp_path / "key"))
    signing.check(b"x", private_key.sign(b"x"), signing.public_key(str(public)), "here")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadInput, match="cannot be created"):
        signing.make_pair(tmp_path / "key")


def test_another_pair_s_signature_is_refused_with_what_to_look_at_first(tmp_path):
    for name in ("ours", "theirs"):
        signing.make_pair(tmp_path / name)
    signature = signing.private_key(str(tmp_path / "theirs")).sign(b"x")
    ours = signing.public_key(str(tmp_path / "ours.pub"))

    with pytest.raises(UntrustedParcel) as refusal:
        signing.check(b"x", signature, ours, "parcel/parcel.json")

    assert "name the .pub file of the pair that exports sign with" in refusal.value.remedy


def test_the_key_s_own_folder_is_made_but_none_above_it(tmp_path):
    mistyped = tmp_path / "hoem" / "me" / "key"

    with pytest.raises(BadInput, match=f'there is no folder "{tmp_path / "hoem"}"'):
        signing.make_pair(mistyped)

    assert list(tmp_path.iterdir()) == []
    signing.make_pair(tmp_path / "keys" / "key")
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


def test_a_private_key_that_others_can_read_is_not_used(tmp_path):
    signing.make_pair(tmp_path / "key")
    (tmp_path / "key").chmod(0o644)

    with pytest.raises(BadInput, match="can be read by others") as refusal:
        signing.private_key(str(tmp_path / "key"))

    assert "BEGIN" not in str(refusal.value)


@pytest.mark.parametrize("load", [signing.private_key, signing.public_key])
def test_what_is_no_key_is_told(tmp_path, load, public_key_pem):
    file = tmp_path / "key"
    for body in ("nothing", public_key_pem):
        file.write_text(body)
        file.chmod(0o600)
        with pytest.raises(BadInput, match="holds"):
            load(str(file))
    with pytest.raises(BadInput, match="cannot be read"):
        load(str(tmp_path / "absent"))


def test_counts_are_those_of_the_files():
    empty = Parcel("2026-11-22T030000Z", None, "2026-11-22T03:04:05Z", {})

    assert Parcel.parse(empty.as_bytes(), "here") == empty
