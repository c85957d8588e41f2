"""build --why: each digest that moved is explained by name; one that did not is proven."""

from __future__ import annotations

from dataclasses import replace

import pytest

from delivery.artifacts import archives, why
from delivery.artifacts.target import Target
from delivery.artifacts.why import Change
from delivery.errors import UnknownRelease, UntrustedRelease
from delivery.releases import differences, folders, package
from delivery.releases.folders import Written
from tests.doubles.packaging import checkout_in

TARGET = Target("arm64", "3.13")


@pytest.fixture
def checkout(tmp_path):
    """A checkout in which everything was built once."""
    checkout = checkout_in(tmp_path / "checkout")
    build(checkout)
    return checkout


def build(checkout, target: Target = TARGET):
    built = checkout.build_for(target, lambda _: None)
    return {each.component: each for each in why.since_last_build(built, checkout.places.cache)}


def write(checkout, name: str, text: str) -> None:
    (checkout.repository / name).write_text(text)


def named(changes) -> list[tuple[str, str]]:
    return [(each.kind, each.name) for each in changes]


def test_the_first_build_has_nothing_to_compare_with(tmp_path):
    verdicts = build(checkout_in(tmp_path / "new"))

    assert {each.before for each in verdicts.values()} == {""}
    assert all(each.changes == () for each in verdicts.values())


def test_of_what_did_not_move_the_proof_is_told(checkout):
    layer = build(checkout)["layer"]

    assert not layer.has_moved
    assert layer.changes == ()
    assert dict(layer.counts) == {"settings": 3, "tools": 1, "requirements": 1, "files": 2}
    assert len(layer.inputs) == 64


@pytest.mark.parametrize(
    ("file", "component", "member"),
    [
        ("lambdas/orchestrator/handler.py", "orchestrator", "orchestrator/handler.py"),
        ("lambdas/mirror/keys.py", "layer", "python/mirror/keys.py"),
        ("terraform/environments/dev/main.tf", "terraform", "environments/dev/main.tf"),
    ],
)
def test_a_changed_file_is_named_and_nothing_else(checkout, file, component, member):
    write(checkout, file, "changed = 1\n")

    verdicts = build(checkout)

    assert [name for name, each in verdicts.items() if each.has_moved] == [component]
    [change] = verdicts[component].changes
    assert (change.kind, change.name) == ("file", member)
    assert change.before != change.after


def test_new_and_lost_files_are_told_apart(checkout):
    (checkout.repository / "lambdas/mirror/keys.py").unlink()
    write(checkout, "lambdas/mirror/names.py", "name = 1\n")

    gone, new = build(checkout)["layer"].changes

    assert (gone.name, gone.after) == ("python/mirror/keys.py", "")
    assert (new.name, new.before) == ("python/mirror/names.py", "")


@pytest.mark.parametrize(
    ("pin", "told"),
    [
        ("sealed==2 --hash=sha256:5e", "2, hashes "),
        ("sealed==1 --hash=sha256:00", "1, hashes "),
        ('sealed==1 ; python_version < "4" --hash=sha256:5e', '1, python_version < "4", hashes '),
    ],
)
def test_a_moved_requirement_is_told_with_version_condition_and_hashes(checkout, pin, told):
    write(checkout, "requirements/layer.txt", f"{pin}\n")

    [change] = build(checkout)["layer"].changes

    assert (change.kind, change.name) == ("requirement", "sealed")
    assert change.before.startswith("1, hashes ")
    assert change.after.startswith(told)
    assert change.before != change.after


def test_comments_and_the_order_of_pins_and_hashes_move_nothing(checkout):
    write(
        checkout,
        "requirements/layer.txt",
        "# compiled\nsealed==1 \\\n    --hash=sha256:5e\n    # via something\n",
    )

    assert not build(checkout)["layer"].has_moved


def test_another_tool_version_is_told(checkout, monkeypatch):
    monkeypatch.setattr(archives, "FORMAT", archives.FORMAT + 1)

    verdicts = build(checkout)

    expected = Change("tool", "archive format", "1", "2")
    assert all(each.changes == (expected,) for each in verdicts.values())
    # The archives came out as before: the digests did not move, and that is told, too.
    assert not any(each.has_moved for each in verdicts.values())


def test_builds_for_another_target_do_not_follow_on_each_other(checkout):
    build(checkout, Target("x86_64", "3.13"))

    assert not build(checkout)["layer"].has_moved


def test_what_moved_before_the_last_build_can_still_be_asked(checkout):
    write(checkout, "lambdas/mirror/keys.py", "blob = 4\n")
    checkout.build_for(TARGET, lambda _: None)  # As a deploy would, without asking why.

    layer = build(checkout)["layer"]

    assert not layer.has_moved
    assert named(layer.earlier) == [("file", "python/mirror/keys.py")]


@pytest.mark.parametrize("text", ["", "[]", '{"layer": 1}'])
def test_a_spoilt_journal_costs_an_explanation_only(checkout, text):
    write(checkout, ".airbrew/builds.json", text)

    assert build(checkout)["layer"].before == ""
    assert build(checkout)["layer"].before != ""


def test_against_a_release_every_difference_is_told(checkout, tmp_path):
    earlier = package.make_for(checkout, TARGET)
    folders.write(earlier, tmp_path)
    write(checkout, "requirements/layer.txt", "sealed==2 --hash=sha256:5e\n")
    write(checkout, "config/schema.yaml", "schema: {more: 1}\n")

    now = package.make_for(checkout, Target("x86_64", "3.13"))
    compared = differences.against(folders.find(tmp_path, earlier.release.short_id), now)

    assert named(compared.changes) == [
        ("release", "dirty"),
        ("release", "target"),
        ("release", "configuration_schema"),
    ]
    changes = {each.component: named(each.changes) for each in compared.verdicts}
    assert changes == {
        "orchestrator": [],
        "sync_worker": [],
        "layer": [("setting", "functions.architecture"), ("requirement", "sealed")],
        "terraform": [],
    }


def test_the_same_inputs_with_another_wheel_are_told_apart(checkout, tmp_path):
    folders.write(package.make_for(checkout, TARGET), tmp_path)
    now = package.make_for(checkout, TARGET)
    layer = now.artifacts["layer"]
    [wheel] = layer.installation.packages
    installed = replace(layer.installation, packages=(replace(wheel, sha256="77" * 32),))
    other = replace(layer, sha256="88" * 32, installation=installed)
    served_by_another_index = replace(now, artifacts={**now.artifacts, "layer": other})

    compared = differences.against(folders.find(tmp_path, now.release.id), served_by_another_index)

    [layer] = [each for each in compared.verdicts if each.component == "layer"]
    assert layer.has_moved
    assert named(layer.changes) == [("wheel", "sealed-1-py3-none-any.whl")]


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}"])
def test_provenance_of_another_kind_is_refused(checkout, body):
    made = package.make_for(checkout, TARGET)

    with pytest.raises(UntrustedRelease, match="does not say what the release was made from"):
        differences.against(Written(made.release, body), made)


def test_a_release_of_this_machine_is_found_by_its_beginning(checkout, tmp_path):
    made = package.make_for(checkout, TARGET)
    folders.write(made, tmp_path)

    found = folders.find(tmp_path, made.release.id[:6])

    assert found.release == made.release
    assert folders.find(tmp_path, "000000") is None


@pytest.mark.parametrize("name", ["", "*", "../..", "abcde"])
def test_what_cannot_be_a_name_is_not_looked_for(tmp_path, name):
    with pytest.raises(UnknownRelease, match="is not the name of a release"):
        folders.find(tmp_path, name)


def test_two_releases_with_one_beginning_are_not_guessed_between(tmp_path):
    for ending in "01":
        (tmp_path / f"abcdef{ending * 58}").mkdir()
        (tmp_path / f"abcdef{ending * 58}" / "release.json").write_text("{}")

    with pytest.raises(UnknownRelease, match="begins the names of 2 releases"):
        folders.find(tmp_path, "abcdef")


def test_the_releases_written_longest_ago_are_dropped(checkout, tmp_path):
    for number in range(4):
        write(checkout, "lambdas/sync_worker/handler.py", f"handle = {number}\n")
        newest = folders.write(package.make_for(checkout, TARGET), tmp_path / "releases")

    folders.drop_old(tmp_path / "releases", kept=2)

    left = list((tmp_path / "releases").iterdir())
    assert len(left) == 2
    assert newest in left
