"""Which casks: tokens and globs, and what they need; what is left out, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase

from mirror import settings
from mirror.cask_catalogue import CaskCatalogue, Entry
from mirror.casks import CaskFile
from mirror.errors import UnknownFormula, UntrustedCatalogue

UNVERIFIABLE = (
    "upstream gives no checksum (no_check): what its vendor sends cannot be verified, not mirrored"
)
_GLOB = frozenset("*?[")


@dataclass(frozen=True)
class PlatformCasks:
    """What is selected for one platform.

    Args:
        dependents: every selected token → the one that needs it; empty for what the settings
            select themselves.
        left_out: those whose file is not mirrored, and why.
        formulae: what they need of the formulae → the cask that does.
    """

    platform: str
    dependents: Mapping[str, str] = field(default_factory=dict)
    files: tuple[CaskFile, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    formulae: Mapping[str, str] = field(default_factory=dict)

    def chain(self, token: str) -> list[str]:
        """``["docker-desktop", "…"]``: why the last of them is selected."""
        dependent = self.dependents[token]
        return [*self.chain(dependent), token] if dependent else [token]


@dataclass(frozen=True)
class SelectedCasks:
    """The whole selection: per platform, in the settings' order."""

    platforms: tuple[PlatformCasks, ...] = ()

    @property
    def files(self) -> list[CaskFile]:
        """Every file once, sorted, whatever number of platforms it serves."""
        return sorted({file for each in self.platforms for file in each.files})

    @property
    def formulae(self) -> Mapping[str, Mapping[str, str]]:
        """Platform → what the casks need of the formulae → ``cask gitup``, which does."""
        return {
            each.platform: {name: f"cask {token}" for name, token in each.formulae.items()}
            for each in self.platforms
        }

    @property
    def left_out(self) -> list[dict[str, str]]:
        """``[{"cask": "zoom", "platform": "arm64_tahoe", "problem": "…"}, …]``."""
        return [
            {"cask": token, "platform": each.platform, "problem": problem}
            for each in self.platforms
            for token, problem in each.left_out.items()
        ]


def select(
    catalogues: Sequence[CaskCatalogue], wanted: settings.Selection, today: date | None = None
) -> SelectedCasks:
    """Apply ``selection.casks`` to what upstream offers.

    Args:
        today: decides what counts as deprecated or disabled; by default the day in UTC.

    Raises:
        UnknownFormula: a token or glob matches nothing on any platform.
        UntrustedCatalogue: a cask that is named has a token, digest or URL of no use.
    """
    if not wanted.casks:
        return SelectedCasks()
    day = today or datetime.now(UTC).date()
    unknown = [
        pattern
        for pattern in wanted.casks
        if not any(matches(pattern, catalogue) for catalogue in catalogues)
    ]
    if unknown:
        told = ", ".join(f'"{pattern}"' for pattern in unknown)
        raise UnknownFormula(
            f"no cask matches {told}",
            where="selection.casks in config/airbrew.yaml, or a Brewfile that it names",
            remedy="correct the token or glob, then run `inv deploy`",
        )
    return SelectedCasks(tuple(_platform(each, wanted, day) for each in catalogues))


def matches(pattern: str, catalogue: CaskCatalogue) -> set[str]:
    """The casks that a token, a former token or a glob of tokens means."""
    if _GLOB.isdisjoint(pattern):
        token = catalogue.resolve(pattern)
        return {token} if token else set()
    return {token for token in catalogue.entries if fnmatchcase(token, pattern)}


def _platform(catalogue: CaskCatalogue, wanted: settings.Selection, today: date) -> PlatformCasks:
    named = _all(catalogue, (each for each in wanted.casks if _GLOB.isdisjoint(each)))
    globbed = {
        token
        for token in _all(catalogue, wanted.casks) - named
        if not _is_left_to_its_name(catalogue.entries[token], wanted, today)
    }
    excluded = _all(catalogue, wanted.exclude_casks)
    dependents = dict.fromkeys(sorted((named | globbed) - excluded), "")
    if wanted.include_dependencies:
        _add_dependencies(dependents, catalogue, excluded)
    files: list[CaskFile] = []
    left_out: dict[str, str] = {}
    for token in sorted(dependents):
        for entry in catalogue.entries[token]:
            problem = _problem(entry)
            if problem:
                left_out[token] = problem
                continue
            try:
                files.append(CaskFile(token, entry.version, entry.url, entry.digest).checked())
            except UntrustedCatalogue as error:
                if token in named:
                    raise
                left_out[token] = error.problem
    return PlatformCasks(
        catalogue.platform,
        dependents,
        tuple(files),
        left_out,
        _needed_formulae(catalogue, dependents) if wanted.include_dependencies else {},
    )


def _all(catalogue: CaskCatalogue, patterns: Iterable[str]) -> set[str]:
    return set().union(*(matches(each, catalogue) for each in patterns))


def _is_left_to_its_name(entries: Sequence[Entry], wanted: settings.Selection, today: date) -> bool:
    if any(each.is_disabled(today) for each in entries):
        return not wanted.include_disabled
    return any(each.is_deprecated(today) for each in entries) and not wanted.include_deprecated


def _add_dependencies(
    dependents: dict[str, str], catalogue: CaskCatalogue, excluded: Set[str]
) -> None:
    to_visit = list(dependents)
    for dependent in to_visit:
        for asked in (each for entry in catalogue.entries[dependent] for each in entry.casks):
            token = catalogue.resolve(asked.rpartition("/")[2])
            if token is not None and token not in dependents and token not in excluded:
                dependents[token] = dependent
                to_visit.append(token)


def _needed_formulae(catalogue: CaskCatalogue, tokens: Iterable[str]) -> dict[str, str]:
    return {
        name: token
        for token in tokens
        for entry in catalogue.entries[token]
        for name in entry.formulae
        if "/" not in name
    }


def _problem(entry: Entry) -> str:
    """Why the file of a cask is not mirrored; empty when it is."""
    if not entry.url:
        return "upstream names no file of it for this platform"
    if not entry.digest:
        return UNVERIFIABLE
    if entry.special:
        return f"its vendor wants {', '.join(entry.special)} with the request, not mirrored"
    return ""
