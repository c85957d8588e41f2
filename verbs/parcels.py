"""Carrying the mirror across an air gap, and filling a new one from what is at hand."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from invoke.context import Context

from delivery import standing
from delivery.config import rendering
from delivery.environment import Environment
from delivery.errors import BadInput
from delivery.paths import STATE_DIR
from delivery.progress import Steps
from verbs import console, probing, report, report_parcels
from verbs.options import ENV_HELP, JSON_HELP
from verbs.target import announce, environment_named, reach
from verbs.verb import verb


@verb(help={"to": "file of the new private key; the public one is written beside it, as FILE.pub"})
def keygen(context: Context, to: str = "") -> None:
    """Make the pair of keys that parcels are signed and checked with.

    Example: inv mirror.keygen --to ~/.airbrew/parcel-key
    """
    from delivery.air_gap import signing

    private_file = Path(_given(to, "--to", "a file of the new private key")).expanduser()
    made_folder = not private_file.parent.exists()
    public_file = signing.make_pair(private_file)
    report_parcels.key_pair(private_file, public_file, made_folder=made_folder)


@verb(
    help={
        "env": ENV_HELP,
        "to": "folder to write into: new, empty, or that of an export which did not end",
        "since": "id of a snapshot the other side has: only what it lacks is written",
        "snapshot": "id of the snapshot to carry, by default the one that api/ serves",
        "key": "private key to sign with, air_gap.signing_key_file by default",
        "json": JSON_HELP,
    }
)
def export(
    context: Context,
    env: str = "dev",
    to: str = "",
    since: str = "",
    snapshot: str = "",
    key: str = "",
    json: bool = False,
) -> None:
    """Write the mirror, or what is new since a snapshot, into a folder that is signed and served.

    Run again after a full disk or a kill, it goes on where it was.

    Example: inv mirror.export --env dev --to parcel --key ~/.airbrew/parcel-key
    """
    from delivery.air_gap import exporting, signing

    environment = environment_named(env)
    folder = Path(_given(to, "--to", "a folder to write into"))
    private_key = signing.private_key(_key(environment, key, "signing_key_file", "--key"))
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    bucket = standing.deployed(environment, cloud)["mirror_bucket"]
    with console.progress() as progress:
        steps = Steps(progress)
        with steps.step("export"):
            done = exporting.export(
                cloud,
                bucket,
                folder,
                private_key,
                snapshot=snapshot,
                since=since,
                detail=steps.detail,
            )
    if json:
        document = {"snapshot": done.snapshot, "since": done.since, "folder": str(folder)}
        console.document(document | {"counts": done.counts})
    else:
        report_parcels.exported(done, folder)


@verb(
    name="import",
    help={
        "env": ENV_HELP,
        "from": "folder that `inv mirror.export` has written; --from itself may be left out",
        "public-key": "key it must be signed with, air_gap.public_key_file by default",
        "json": JSON_HELP,
    },
)
def import_(
    context: Context, env: str = "", from_: str = "", public_key: str = "", json: bool = False
) -> None:
    """Verify a parcel, upload what this mirror lacks, publish its snapshot, and probe it.

    Every file is checked before anything is uploaded. Run again, it goes on where it was, and
    hashes only what it had not hashed or what was touched since.

    Example: inv mirror.import parcel --env staging --public-key parcel-key.pub
    """
    from delivery.air_gap import importing, signing

    environment = environment_named(env)
    folder = Path(_given(from_, "--from", "the folder of a parcel"))
    key = signing.public_key(_key(environment, public_key, "public_key_file", "--public-key"))
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    outputs = standing.deployed(environment, cloud)
    upstream = rendering.upstream(environment, cloud.upstream)
    with console.progress() as progress:
        steps = Steps(progress)
        imported = importing.bring(
            cloud,
            outputs,
            folder,
            key,
            upstream["signing_key_pem"],
            steps,
            records=STATE_DIR / "imports",
        )
        with steps.step("probe"):
            proof = probing.prove(environment, cloud, outputs["mirror_bucket"], imported.snapshot)
    if json:
        console.document({**asdict(imported), "probe": asdict(proof)})
    else:
        report_parcels.imported(imported, environment.name)
        report.proof(asdict(proof))


@verb(
    help={
        "env": "whose air_gap.signing_key_file to sign with",
        "from": "folder that `inv mirror.export` has written",
        "to": "folder to write the parts into",
        "part-mib": "size of a part; FAT32 takes less than 4096",
        "key": "private key to sign with, air_gap.signing_key_file by default",
    }
)
def pack(
    context: Context,
    env: str = "dev",
    from_: str = "",
    to: str = "",
    part_mib: int = 2048,
    key: str = "",
) -> None:
    """Cut a parcel into signed parts of one size, named by their digest, for any disk or link.

    Example: inv mirror.pack --from parcel --to parts --key ~/.airbrew/parcel-key
    """
    from delivery.air_gap import parts, signing

    source, target = _given(from_, "--from", "a parcel"), _given(to, "--to", "a folder")
    environment = environment_named(env)
    private_key = signing.private_key(_key(environment, key, "signing_key_file", "--key"))
    with console.progress() as progress:
        steps = Steps(progress)
        with steps.step("pack"):
            made = parts.pack(
                Path(source), Path(target), private_key, part_mib * 2**20, steps.detail
            )
    report_parcels.packed(made, target)


@verb(
    help={
        "env": "whose air_gap.public_key_file to check with",
        "from": "folder of parts, with parts.json and parts.json.sig",
        "to": "folder to put the parcel together in",
        "public-key": "key they must be signed with, air_gap.public_key_file by default",
    }
)
def unpack(
    context: Context, env: str = "dev", from_: str = "", to: str = "", public_key: str = ""
) -> None:
    """Check each part of a parcel alone, name those to bring again, or put the parcel together.

    Example: inv mirror.unpack --from parts --to parcel --public-key parcel-key.pub
    """
    from delivery.air_gap import parts, signing

    source, target = _given(from_, "--from", "the parts"), _given(to, "--to", "a folder")
    environment = environment_named(env)
    key = signing.public_key(_key(environment, public_key, "public_key_file", "--public-key"))
    with console.progress() as progress:
        steps = Steps(progress)
        with steps.step("unpack"):
            parts.unpack(Path(source), Path(target), key, steps.detail)
    report_parcels.unpacked(target)


@verb(
    help={
        "env": ENV_HELP,
        "from": "a folder of files, a bottles_hash.json, or s3://BUCKET of another mirror",
        "all": "take all bottles of the platforms, and all casks if any is selected",
        "json": JSON_HELP,
    }
)
def seed(
    context: Context, env: str = "", from_: str = "", all: bool = False, json: bool = False
) -> None:
    """Upload bottles and casks that are at hand and that the mirror lacks, before a sync.

    Every file is hashed; what is corrupt, or not what its name says, is reported and not used.

    Example: inv mirror.seed --env dev --from ~/Library/Caches/Homebrew/downloads
    """
    from delivery.mirror import seeding

    environment = environment_named(env)
    source = _given(from_, "--from", "a folder, a bottles_hash.json or s3://BUCKET")
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    outputs = standing.deployed(environment, cloud)
    with console.progress() as progress:
        seeded = seeding.seed(cloud, outputs, source, Steps(progress), everything=all)
    if json:
        console.document(asdict(seeded))
    else:
        report_parcels.seeded(seeded, environment.name)


def _key(environment: Environment, given: str, setting: str, option: str) -> str:
    configured = environment.settings["air_gap"][setting]
    return given or _given(configured or "", option, f"or air_gap.{setting} in config/airbrew.yaml")


def _given(value: str, option: str, what: str) -> str:
    """An option that has no default.

    Raises:
        BadInput: it was not given.
    """
    if not value:
        raise BadInput(f"{option} is missing", where=option, remedy=f"give {option}: {what}")
    return value
