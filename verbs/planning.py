"""How a dry run reads on a terminal: what would be fetched, what it costs, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from verbs import console

if TYPE_CHECKING:  # Each verb imports what it needs; this module needs their names only.
    from delivery.cost.prices import StoragePrices
    from delivery.mirror.orchestrator import DryRun

COLUMNS = ("formulae", "dependencies", "bottles", "missing")


def show(plan: DryRun, prices: StoragePrices | None, region: str) -> None:
    """What a sync would fetch, per platform; what that costs; what to look at."""
    rows = [
        [platform, *(str(counts[name]) for name in COLUMNS)]
        for platform, counts in plan.by_platform.items()
    ]
    rows.append(["all together", str(plan.formulae), "", str(plan.bottles), str(plan.missing)])
    console.table(["platform", *COLUMNS], rows)
    for example in plan.examples:
        console.line(f"  missing: {example}{_because(plan.chains.get(example, ()))}")
    if plan.missing > len(plan.examples):
        console.line(f"  and {plan.missing - len(plan.examples)} more")
    for problem, names in _by_problem(plan.warnings).items():
        console.line(f"  note: {', '.join(names)}: {problem}")
    if plan.casks:
        _casks(plan.casks)
    console.facts([("to fetch", _size(plan)), ("cost", _cost(plan, prices, region))])


def _casks(casks: Mapping[str, Any]) -> None:
    console.line(f"  casks: {casks['files']} files, {casks['missing']} missing{_cask_bytes(casks)}")
    for example in casks["examples"]:
        console.line(f"  missing: {example}")
    for problem, tokens in _by_problem(casks["left_out"], "cask").items():
        console.line(f"  left out: {', '.join(tokens)}: {problem}")


def _cask_bytes(casks: Mapping[str, Any]) -> str:
    sizes = casks["sizes"]
    if sizes is None or not casks["missing"]:
        return ""
    told = f": {console.size(int(sizes['bytes']))}"
    for count, words in ((sizes["unsized"], "of unknown size"), (len(sizes["failed"]), "refused")):
        if count:
            told += f", {count} {words}"
    return told


def show_why(plan: DryRun) -> None:
    """The chain of dependents of each formula, once for all platforms that agree."""
    platforms: dict[str, list[str]] = {}
    for platform, told in plan.why.items():
        for text in _reasons(told):
            platforms.setdefault(text, []).append(platform)
    for platform, chains in plan.casks.get("why", {}).items():
        for chain in chains.values():
            platforms.setdefault(f"cask {' → '.join(chain)}", []).append(platform)
    for text, agreeing in platforms.items():
        where = "every platform" if len(agreeing) == len(plan.why) else ", ".join(agreeing)
        console.line(f"{text}  ({where})")


def _reasons(told: Mapping[str, Any]) -> Sequence[str]:
    absent = [f"{name} is not selected: {why}" for name, why in told["not_selected"].items()]
    chains = [" → ".join(chain) for chain in told["chains"].values()]
    more = [f"and {told['more']} more: ask for fewer"] if told["more"] else []
    return [*absent, *chains, *more]


def _because(chain: Sequence[str]) -> str:
    return f"  ({' → '.join(chain)})" if len(chain) > 1 else ""


def _by_problem(
    warnings: Sequence[Mapping[str, str]], what: str = "formula"
) -> Mapping[str, Sequence[str]]:
    names: dict[str, dict[str, None]] = {}
    for each in warnings:
        names.setdefault(each["problem"], {})[each[what]] = None
    return {problem: list(found) for problem, found in names.items()}


def _size(plan: DryRun) -> str:
    sizes = plan.sizes
    if sizes is None:
        return f"{plan.missing} bottles; --sizes reads their manifests and tells how large"
    told = f"{console.size(int(sizes['bytes']))} in {sizes['sized']} bottles"
    for name, words in (("too_large", "too large"), ("unsized", "of unknown size")):
        if sizes[name]:
            told += f", {sizes[name]} {words}"
    largest = ", ".join(f"{label} {console.size(size)}" for label, size in sizes["largest"])
    return f"{told}; largest: {largest}" if largest else told


def _cost(plan: DryRun, prices: StoragePrices | None, region: str) -> str:
    requests = plan.requests
    counted = f"about {requests['put']} PUT and {requests['get']} GET"
    if prices is None:
        return f"{counted}; config/prices.yaml has no S3 prices of {region}"
    told = f"{_dollars(prices.requests_usd(requests))} for {counted}"
    if plan.sizes is not None:
        told += f"; {_dollars(prices.month_usd(int(plan.sizes['bytes'])))} a month to keep it"
    return f"{told} (S3 Standard in {region}, list prices of {prices.date})"


def _dollars(usd: float) -> str:
    return "under $0.01" if 0 < usd < 0.01 else f"${usd:,.2f}"
