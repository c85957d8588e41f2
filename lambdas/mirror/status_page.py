"""The status page: how to point brew here, how fresh the mirror is, what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mirror import keys, pages, platforms, plots
from mirror.pages import Markup, element, joined, number, size
from mirror.selection import PORTABLE_RUBY
from mirror.settings import About

UNKNOWN = "https://YOUR-MIRROR"
LISTED_SNAPSHOTS = 10
FORMULAE_FILE = "status/formulae.json"
EVERY = "all"
NOTHING: Mapping[str, int] = {"bottles": 0, "bytes": 0}


def page(
    status: Mapping[str, Any], formulae: Mapping[str, Any], about: About, *, inlined: int
) -> str:
    """The page as HTML.

    Args:
        status, formulae: as status.json and formulae.json have them
            (docs/reference/bucket-layout.md).
        inlined: the most formulae that are listed in the page itself.
    """
    newest = status["snapshots"][0]
    whose = " · ".join(filter(None, (about.project, about.environment)))
    return pages.filled(
        "status.html",
        script="status.js",
        title=f"Homebrew mirror {whose}".rstrip(),
        whose=whose,
        headline="Homebrew, from inside your own network",
        published=status["published_at"],
        published_at=pages.moment(status["published_at"]),
        snapshot=status["snapshot"],
        behind=_behind(status),
        facts=_facts(newest),
        lines=lines(about.public_url or UNKNOWN),
        address_is="known" if about.public_url else "unknown",
        address_note=_address_note(about.public_url),
        platforms=_platforms(newest),
        plots=_plots(status["snapshots"]),
        snapshots=_snapshots(status["snapshots"], status.get("served_as", {})),
        found=_count(len(formulae["formulae"])),
        formulae=_formulae(formulae, inlined),
        casks=_casks(formulae.get("casks", ()), inlined),
    )


def lines(url: str) -> str:
    """What a Mac needs in its shell. Source: Homebrew/brew, ``env_config.rb``."""
    return (
        f"export HOMEBREW_API_DOMAIN={url}/api\n"
        f"export HOMEBREW_ARTIFACT_DOMAIN={url}\n"
        "export HOMEBREW_ARTIFACT_DOMAIN_NO_FALLBACK=1\n"
        "export HOMEBREW_DOCKER_REGISTRY_BASIC_AUTH_TOKEN=none"
    )


def _address_note(public_url: str) -> Markup:
    if public_url:
        return Markup("")
    address = element("code", UNKNOWN)
    return joined(address, " stands for the address at which you read this page.")


def _facts(newest: Mapping[str, Any]) -> Markup:
    facts = {
        "Formulae": number(newest["formulae"]),
        "Bottles": number(newest["bottles"]),
        **({"Cask files": number(newest["casks"])} if newest.get("casks") else {}),
        "Size": size(newest["bytes"]),
        "Platforms": number(len(_configured(newest))),
    }
    return joined(
        *(
            element("div", element("dt", name), element("dd", value))
            for name, value in facts.items()
        )
    )


def _configured(newest: Mapping[str, Any]) -> Sequence[str]:
    """The platforms that the snapshot was made for; those of its bottles in an older one."""
    told: Sequence[str] = newest.get("platforms") or [
        tag for tag in newest["by_platform"] if tag != EVERY
    ]
    return told


def _platforms(newest: Mapping[str, Any]) -> Markup:
    configured, held = _configured(newest), newest["by_platform"]
    others = sorted(held.keys() - set(configured), key=lambda tag: (tag == EVERY, tag))
    named = [(_platform(tag, configured), tag, held.get(tag, NOTHING)) for tag in configured]
    # What serves several platforms is no platform: last.
    named += [(_platform(tag, configured), tag, held[tag]) for tag in others]
    if "portable_ruby" in newest:
        about = "portable Ruby, for brew itself"
        named.append((about, PORTABLE_RUBY, newest["portable_ruby"]))
    most = max((each["bytes"] for _, _, each in named), default=0)
    rows = [
        (
            joined(about, " ", element("code", tag, class_="muted")),
            plots.share(each["bytes"], most, f"{size(each['bytes'])} of {size(most)}"),
            number(each["bottles"]),
            size(each["bytes"]),
        )
        for about, tag, each in named
    ]
    return pages.table(("Platform", "Share", "Bottles", "Size"), rows, numbers=2)


def _platform(tag: str, configured: Sequence[str]) -> str:
    said = platforms.spoken(tag)
    return said if tag in configured or tag == EVERY else f"{said}, for newer ones, too"


def _plots(snapshots: Sequence[Mapping[str, Any]]) -> Markup:
    oldest_first = list(reversed(snapshots))
    return joined(
        _plot("Bottles", oldest_first, "bottles", number),
        _plot("Size", oldest_first, "bytes", size),
    )


def _plot(name: str, snapshots: Sequence[Mapping[str, Any]], key: str, shown: Any) -> Markup:
    values = [int(each[key]) for each in snapshots]
    titles = [f"{each['created_at'][:10]}: {shown(each[key])}" for each in snapshots]
    label, span = f"{name}: {shown(values[-1])}", name
    if len(values) > 1:
        some = f"last {len(values)} snapshots"
        label = f"{name} of the {some}: {shown(values[0])} to {shown(values[-1])}"
        span = f"{name}, {some}"
    caption = element("figcaption", span, element("b", shown(values[-1])))
    return element("figure", caption, plots.bars(values, titles, label))


def _behind(status: Mapping[str, Any]) -> Markup:
    """Says so where Macs do not get the newest snapshot: rolled back, or still soaking."""
    served = status.get("served_as", {}).get(keys.DEFAULT_CHANNEL, status["snapshot"])
    if served == status["snapshot"]:
        return Markup("")
    return element(
        "p",
        joined("Macs get the snapshot ", element("code", served), ", not the newest."),
        class_="behind",
    )


def _snapshots(snapshots: Sequence[Mapping[str, Any]], served_as: Mapping[str, str]) -> Markup:
    rows = [
        (
            pages.moment(each["created_at"]),
            element("code", each["id"]),
            ", ".join(_channels_of(each["id"], served_as)),
            number(each["formulae"]),
            number(each["bottles"]),
            size(each["bytes"]),
        )
        # What was collected is history: the plots have it, nobody can go back to it.
        for each in [each for each in snapshots if not each.get("collected")][:LISTED_SNAPSHOTS]
    ]
    return pages.table(
        ("Published", "Snapshot", "Served as", "Formulae", "Bottles", "Size"), rows, numbers=3
    )


def _channels_of(snapshot: str, served_as: Mapping[str, str]) -> list[str]:
    names = sorted(name for name, served in served_as.items() if served == snapshot)
    return ["api/" if name == keys.DEFAULT_CHANNEL else name for name in names]


def _formulae(formulae: Mapping[str, Any], inlined: int) -> Markup:
    rows, tags = formulae["formulae"], formulae["platforms"]
    if len(rows) <= inlined:
        listed = [_formula(row, tags) for row in rows]
        return element("ul", *listed, id="formulae", class_="formulae")
    link = element("a", FORMULAE_FILE, href=FORMULAE_FILE)
    plain = element("p", "The whole list: ", link, id="plain", class_="muted")
    results = element(
        "ul",
        id="formulae",
        class_="formulae",
        data_source=FORMULAE_FILE,
        tabindex="0",
        aria_label="Formulae",
    )
    return joined(results, plain)


def _casks(rows: Sequence[Sequence[Any]], inlined: int) -> Markup:
    if not rows:
        return Markup("")
    how = joined(
        "Before ",
        element("code", "brew install --cask TOKEN"),
        ", ",
        element("code", "brew mirror-cask TOKEN"),
        " fetches its file from this mirror.",
    )
    listed = [_cask(row) for row in rows[:inlined]]
    more = len(rows) - inlined
    large = {"data_source": FORMULAE_FILE, "tabindex": "0", "aria_label": "Casks"}
    source = large if more > 0 else {}
    rest = (f"and {number(more)} more, in ", element("a", FORMULAE_FILE, href=FORMULAE_FILE))
    return joined(
        element("h3", f"Casks ({number(len(rows))})"),
        element("p", how, class_="muted"),
        element("ul", *listed, id="casks", class_="formulae", **source),
        element("p", *(rest if more > 0 else ()), id="casks-found", class_="muted", role="status"),
    )


def _cask(row: Sequence[Any]) -> Markup:
    token, version, description = row
    return element(
        "li",
        element("code", token, class_="name"),
        element("code", version, class_="version"),
        element("span", description, class_="about"),
    )


def _formula(row: Sequence[Any], tags: Sequence[str]) -> Markup:
    name, version, indices, description = row
    return element(
        "li",
        element("code", name, class_="name"),
        element("code", version, class_="version"),
        element(
            "span",
            description,
            element("small", ", ".join(tags[index] for index in indices)),
            class_="about",
        ),
    )


def _count(formulae: int) -> str:
    return f"{number(formulae)} {'formula' if formulae == 1 else 'formulae'}"
