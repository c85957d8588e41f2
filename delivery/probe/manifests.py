"""One OCI index: does brew find its bottle in it, with a tab that it can read.

Source: Homebrew/brew 6.0, ``resource.rb`` (BottleManifest).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delivery.mirror.bottles import Bottle
from delivery.probe.api_files import refuse_web_page
from delivery.probe.clients import INDEX_TYPE
from delivery.probe.defects import Sighting, Stumble
from delivery.probe.web import Answer, Web

MAX_BYTES = 32 * 1024 * 1024
REF_NAME = "org.opencontainers.image.ref.name"
DIGEST = "sh.brew.bottle.digest"
SIZE = "sh.brew.bottle.size"
TAB = "sh.brew.tab"
NUMBER = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True)
class CheckedManifest:
    """What a client learns: the bottle's size in bytes, None when the index does not say."""

    size_bytes: int | None
    sightings: tuple[Sighting, ...]


def check(web: Web, bottle: Bottle, url: str, missing: str) -> CheckedManifest:
    """Fetch the index as brew does and look for the bottle.

    Args:
        web: sends the request.
        bottle: what the catalogue names.
        url: where this layout keeps the index.
        missing: the defect that "not found" is here.
    """
    try:
        answer = web.get(url, MAX_BYTES, missing, Accept=INDEX_TYPE)
        entry = _entry(bottle, answer)
    except Stumble as stumble:
        return CheckedManifest(None, (stumble.sighting,))
    sightings = [*answer.sightings, *_content_type(answer), *_tab(entry, url)]
    size = str(entry.get(SIZE, ""))
    if not NUMBER.fullmatch(size):
        sightings.append(Sighting("size-annotation-wrong", f'{SIZE} is "{size[:40]}"', url))
        return CheckedManifest(None, tuple(sightings))
    return CheckedManifest(int(size), tuple(sightings))


def _entry(bottle: Bottle, answer: Answer) -> Mapping[str, Any]:
    """The annotations that match in digest and name."""
    noted = _annotations(answer)
    ours = [each for each in noted if each.get(DIGEST) == bottle.digest]
    if not ours:
        raise _without(bottle, [str(each.get(REF_NAME)) for each in noted], answer.url)
    for each in ours:
        if each.get(REF_NAME) == bottle.ref_name:
            return each
    problem = f'its ref.name is "{ours[0].get(REF_NAME)}", not "{bottle.ref_name}"'
    raise Stumble("manifest-ref-name-wrong", problem, answer.url)


def _annotations(answer: Answer) -> list[Mapping[str, Any]]:
    refuse_web_page(answer)
    try:
        index = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise Stumble("manifest-not-json", f"not JSON: {error}", answer.url) from error
    manifests = index.get("manifests") if isinstance(index, dict) else None
    if not isinstance(manifests, list) or not manifests:
        kind = index.get("mediaType") if isinstance(index, dict) else type(index).__name__
        problem = f'no list of manifests; its media type is "{kind}"'
        raise Stumble("manifest-not-an-index", problem, answer.url)
    noted = [each.get("annotations") for each in manifests if isinstance(each, dict)]
    return [each for each in noted if isinstance(each, dict)]


def _without(bottle: Bottle, names: list[str], url: str) -> Stumble:
    if names and not any(name.startswith(f"{bottle.version}.") for name in names):
        problem = f'its entries are "{names[0]}" and the like, not of version "{bottle.version}"'
        return Stumble("manifest-of-another-version", problem, url)
    problem = f"none of its {len(names)} entries has the digest {bottle.digest}"
    return Stumble("manifest-lacks-bottle", problem, url)


def _content_type(answer: Answer) -> list[Sighting]:
    found = answer.headers.get("content-type", "")
    if found.split(";")[0].strip().lower() == INDEX_TYPE:
        return []
    return [Sighting("manifest-content-type", f'served as "{found}"', answer.url)]


def _tab(entry: Mapping[str, Any], url: str) -> list[Sighting]:
    text = str(entry.get(TAB) or "").strip()
    if not text:
        return [Sighting("tab-missing", f"{TAB} is missing or empty", url)]
    try:
        tab = json.loads(text)
    except (ValueError, RecursionError) as error:
        return [Sighting("tab-not-json", f"{TAB}: {error}", url)]
    if not isinstance(tab, dict):
        return [Sighting("tab-not-json", f'{TAB} is "{text[:40]}"', url)]
    return []
