"""How a dry run reads on a terminal: what would be fetched, what it costs, and why."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from verbs import console

if TYPE_CHECKING:  # Each verb imports what it needs; this module needs their names only.
    from delivery.cost.prices import StoragePrices
    from delivery.mirror.orchestrator import DryRun

COLUMNS = ("formulae", "dependencies", "bottles", "missing")
# Of more, inv mirror.why tells each.
CHAINS_SHOWN = 20
WIDTH = 78


def show(plan: DryRun, prices: StoragePrices | None, region: str, env: str) -> None:
    """What a sync would fetch, per platform; why each formula is in; bytes and dollars.

    Args:
        env: the environment's name, for the verb that tells more.
    """
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
    _why_each(plan, env)
    console.facts([*_sizes(plan), *_cost(plan, prices, region)])


def _why_each(plan: DryRun, env: str) -> None:
    """Each formula once: those that the settings select, and the chains to those they need."""
    if not plan.why:
        return
    chains = {
        name: chain for told in plan.why.values() for name, chain in told["chains"].items()
    } | {
        f"cask {token}": [*chain[:-1], f"cask {token}"]
        for found in plan.casks.get("why", {}).values()
        for token, chain in found.items()
    }
    selected = sorted(name for name, chain in chains.items() if len(chain) == 1)
    needed = sorted(" → ".join(chain) for chain in chains.values() if len(chain) > 1)
    unseen = max(told["more"] for told in plan.why.values())
    left_out = max(0, len(selected) - CHAINS_SHOWN) + max(0, len(needed) - CHAINS_SHOWN) + unseen
    more = f"; of {left_out} more, inv mirror.why --env {env} tells" if left_out else ""
    console.line(f"why each formula is in{more}:")
    for text in _wrapped(f"selected: {', '.join(selected[:CHAINS_SHOWN])}"):
        console.line(text)
    for text in needed[:CHAINS_SHOWN]:
        console.line(f"  needed: {text}")


def _wrapped(text: str) -> Sequence[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


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
    of_casks = plan.casks.get("why", {})
    for platform, told in plan.why.items():
        # Whoever names a cask does not ask for a formula of the same name.
        for text in _reasons(told, but=of_casks.get(platform, {})):
            platforms.setdefault(text, []).append(platform)
    for platform, chains in of_casks.items():
        for chain in chains.values():
            platforms.setdefault(f"cask {' → '.join(chain)}", []).append(platform)
    for text, agreeing in platforms.items():
        where = "every platform" if len(agreeing) == len(plan.why) else ", ".join(agreeing)
        console.line(f"{text}  ({where})")


def _reasons(told: Mapping[str, Any], but: Container[str]) -> Sequence[str]:
    absent = [
        f"{name} is not selected: {why}"
        for name, why in told["not_selected"].items()
        if name not in but
    ]
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


def _sizes(plan: DryRun) -> Sequence[tuple[str, str]]:
    largest = plan.sizes["largest"] if plan.sizes else []
    texts = [f"{label} {console.size(size)}" for label, size in largest]
    names = itertools.chain(["largest"], itertools.repeat(""))
    return [("to fetch", _to_fetch(plan)), *zip(names, texts, strict=False)]


def _to_fetch(plan: DryRun) -> str:
    sizes = plan.sizes
    if not plan.missing:
        return "nothing: the mirror holds all of these bottles"
    if sizes is None:
        return f"{plan.missing} bottles; their sizes were not asked for"
    bottles = sizes["sized"] + sizes["unsized"]
    left_out = f", {sizes['too_large']} too large" if sizes["too_large"] else ""
    if not sizes["unsized"]:
        return f"{console.size(sizes['bytes'])} in {bottles} bottles{left_out}"
    if not sizes["sized"]:
        return f"{bottles} bottles of unknown size{left_out}"
    return (
        f"about {console.size(sizes['estimate'])} in {bottles} bottles,"
        f" reckoned from {sizes['sized']} of them{left_out}"
    )


def _cost(plan: DryRun, prices: StoragePrices | None, region: str) -> Sequence[tuple[str, str]]:
    requests = plan.requests
    counted = f"about {requests['put']} PUT and {requests['get']} GET"
    if prices is None:
        return [("cost", f"{counted}; config/prices.yaml has no S3 prices of {region}")]
    told = [("cost", f"{_dollars(prices.requests_usd(requests))} for {counted}")]
    if new_bytes := _new_bytes(plan):
        told.append(("", f"{_dollars(prices.month_usd(new_bytes))} a month to keep it"))
    return [*told, ("", f"S3 Standard in {region}, list prices of {prices.date}")]


def _new_bytes(plan: DryRun) -> int:
    """What would be there besides; 0 where that is nothing, or nobody knows."""
    sizes = (plan.sizes or {"estimate": 0}, plan.casks.get("sizes") or {"bytes": 0})
    return int(sizes[0]["estimate"]) + int(sizes[1]["bytes"])


def _dollars(usd: float) -> str:
    return "under $0.01" if 0 < usd < 0.01 else f"${usd:,.2f}"
