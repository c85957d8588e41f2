"""build, package: what is printed, what the JSON holds, and how a wrong name ends."""

from __future__ import annotations

import json

import pytest

from delivery.releases import folders
from tests.doubles.packaging import checkout_in


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A small checkout instead of this one."""
    checkout = checkout_in(tmp_path / "checkout")
    monkeypatch.setattr("verbs.packaging.Checkout", lambda: checkout)
    return checkout


def edit(checkout) -> None:
    (checkout.repository / "lambdas/mirror/keys.py").write_text("blob = 4\n")


def rows(text: str) -> dict[str, str]:
    """First word of each line → the rest."""
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return {line[0]: line[1] if len(line) > 1 else "" for line in lines}


def test_a_build_shows_each_artifact_and_whether_it_was_built(inv, checkout):
    first, second = inv("build"), inv("build")

    assert (first.code, second.code) == (0, 0)
    assert rows(first.out)["terraform"].endswith("built")
    assert rows(second.out)["layer"].endswith("unchanged")
    assert "as <artifact>-<digest>.zip" in second.out
    assert max(map(len, second.out.splitlines()[:-1])) <= 80


def test_a_build_as_json_names_digest_inputs_and_file(inv, checkout):
    layer = json.loads(inv("build", "--json").out)["layer"]

    assert sorted(layer) == ["inputs_digest", "name", "path", "sha256", "size_bytes", "was_built"]
    assert layer["path"].endswith(f"layer-{layer['sha256']}.zip")


def test_why_names_the_file_that_moved_a_digest(inv, checkout):
    inv("build")
    edit(checkout)

    ended = inv("build", "--why")

    assert ended.code == 0
    assert "  file python/mirror/keys.py: " in ended.out
    assert "terraform: " in ended.out
    assert " has not moved: 1 tool, 2 files as in the last build, inputs " in ended.out


def test_why_as_json_holds_the_changes_of_each_component(inv, checkout):
    inv("build")
    edit(checkout)

    told = json.loads(inv("build", "--why", "--json").out)

    [change] = told["layer"]["why"]["changes"]
    assert (change["kind"], change["name"]) == ("file", "python/mirror/keys.py")
    assert told["terraform"]["why"]["changes"] == []


def test_why_after_a_build_still_tells_what_moved(inv, checkout):
    inv("build")
    edit(checkout)
    inv("build")

    ended = inv("build", "--why")

    assert "what moved it the time before:\n    file python/mirror/keys.py: " in ended.out


def test_the_first_build_cannot_be_compared(inv, checkout):
    assert " is the first that is known here\n" in inv("build", "--why").out


def test_a_dry_run_builds_nothing_and_says_what_would_be(inv, checkout):
    inv("build")
    edit(checkout)

    ended = inv("build", "--dry-run")
    document = json.loads(inv("build", "--dry-run", "--json").out)

    assert rows(ended.out)["layer"].endswith("would be built")
    assert rows(ended.out)["orchestrator"].endswith("unchanged")
    assert [name for name, each in document.items() if not each["is_built"]] == ["layer"]
    assert len(list((checkout.state_dir / "artifacts").glob("layer-*.zip"))) == 1


def test_a_release_is_written_below_its_id_and_shown(inv, checkout):
    ended = inv("package")

    [place] = checkout.releases_dir.iterdir()
    shown = rows(ended.out)
    assert ended.code == 0
    assert shown["release"] == place.name[:12]
    assert shown["version"] == "1.2.3"
    assert shown["built"] == "anew  orchestrator, sync_worker, layer, terraform"
    assert shown["folder"] == str(place)


def test_a_release_of_changed_files_says_so(inv, checkout):
    edit(checkout)

    assert rows(inv("package").out)["version"] == "1.2.3, with changes"


def test_a_release_as_json_is_its_manifest_and_more(inv, checkout, tmp_path):
    told = json.loads(inv("package", "--out", str(tmp_path / "out"), "--json").out)

    written = json.loads((tmp_path / "out" / told["id"] / "release.json").read_text())
    assert {name: told[name] for name in written if name != "format"} == {
        name: each for name, each in written.items() if name != "format"
    }
    assert told["rebuilt"] == ["orchestrator", "sync_worker", "layer", "terraform"]
    assert not checkout.releases_dir.exists()


def test_a_release_is_made_twice_without_building(inv, checkout):
    inv("package")

    assert rows(inv("package").out)["built"] == "anew  nothing"


def test_why_against_a_release_tells_what_moved_since(inv, checkout):
    inv("package")
    [place] = checkout.releases_dir.iterdir()
    edit(checkout)

    ended = inv("build", "--against", place.name[:8])

    assert ended.code == 0
    assert ended.out.startswith(f"release {place.name[:12]} → ")
    assert "  release dirty: false → true\n" in ended.out
    assert "  file python/mirror/keys.py: " in ended.out
    assert f"as in release {place.name[:12]}, inputs " in ended.out


def test_a_release_that_is_not_here_is_looked_for_in_the_environment_s_store(
    inv, checkout, cloud, s3, monkeypatch
):
    inv("package")
    [place] = checkout.releases_dir.iterdir()
    monkeypatch.setattr("verbs.packaging.reach", lambda _environment: cloud)
    s3.create_bucket(Bucket=f"airbrew-dev-state-{cloud.account_id}")
    kept = folders.find(checkout.releases_dir, place.name)
    for kind, body in (("release", kept.release.body), ("provenance", kept.provenance)):
        key = f"artifacts/{kind}/{place.name}.json"
        s3.put_object(Bucket=f"airbrew-dev-state-{cloud.account_id}", Key=key, Body=body)
    for file in place.iterdir():
        file.unlink()

    ended = inv("build", "--against", place.name[:8])

    assert ended.code == 0
    assert ended.out.startswith(f"release {place.name[:12]}: the same\n")


def test_a_name_that_cannot_be_a_release_is_bad_input(inv, checkout):
    ended = inv("build", "--against", "latest")

    assert ended.code == 2
    assert 'error: "latest" is not the name of a release\n' in ended.err
