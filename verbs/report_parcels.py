"""What exports, imports and seedings did, and what to do next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from verbs import console

# They bring cryptography and boto3, which no other verb should wait for.
if TYPE_CHECKING:
    from delivery.air_gap.importing import Imported
    from delivery.air_gap.parcel import Parcel
    from delivery.air_gap.parts import Parts
    from delivery.mirror.seeding import Seeded

NAMED = 10


def key_pair(private_file: Path, public_file: Path, *, made_folder: bool) -> None:
    """Where the two keys are, and who needs which."""
    if made_folder:
        console.line(f"made the folder {private_file.parent}")
    console.line(f"private key: {private_file} (exports sign with it; keep it to yourself)")
    console.line(f"public key:  {public_file} (imports check with it; bring it across once)")
    console.line("next:")
    console.line("  air_gap.signing_key_file and air_gap.public_key_file in config/airbrew.yaml")


def exported(done: Parcel, folder: Path) -> None:
    """What the folder holds."""
    counts = done.counts
    kind = f"what is new since {done.since}" if done.since else "whole"
    console.line(
        f"{folder}: snapshot {done.snapshot}, {kind}: {counts['blobs']} bottles and casks,"
        f" {counts['manifests']} manifests, {counts['api_files']} API files,"
        f" {console.size(counts['bytes'])}, signed"
    )
    console.line("next: carry the folder across, then there")
    console.line(f"  inv mirror.import {folder} --env ENV")


def packed(made: Parts, folder: str) -> None:
    """How many parts there are."""
    size = console.size(sum(each.size_bytes for each in made.parts))
    console.line(f"{folder}: {len(made.parts)} parts, {size}, and their signed list")
    console.line("next: carry them across, in any order, then there")
    console.line(f"  inv mirror.unpack --from {folder} --to parcel")


def unpacked(folder: str) -> None:
    """What to do with the parcel."""
    console.line(f"{folder}: every part holds, and the parcel is together")
    console.line("next:")
    console.line(f"  inv mirror.import {folder} --env ENV")


def imported(done: Imported, environment: str) -> None:
    """What arrived and is published."""
    console.line(
        f"snapshot {done.snapshot} is published: {done.uploaded} of {done.blobs} bottles"
        f" and casks uploaded, {console.size(done.uploaded_bytes)};"
        f" {done.answer['bottles']} bottles in all"
    )
    console.line("next:")
    console.line(f"  inv mirror.serve --env {environment}    # then point brew at it, as it says")


def seeded(done: Seeded, environment: str) -> None:
    """What was taken, and what was found wanting."""
    console.line(
        f"bottles and casks: {done.uploaded} uploaded, {console.size(done.uploaded_bytes)};"
        f" {done.present} there before, {done.missing} still missing;"
        f" files that nothing wants: {done.not_wanted}"
    )
    for refused in done.refused[:NAMED]:
        console.line(f"  refused: {refused.name}: {refused.problem}")
    if len(done.refused) > NAMED:
        console.line(f"  and {len(done.refused) - NAMED} more")
    console.line("next:")
    console.line(f"  inv mirror.sync --env {environment}")
