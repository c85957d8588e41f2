"""Small plots as inline SVG: bars from zero, one per snapshot, the newest at the right."""

from __future__ import annotations

from collections.abc import Sequence

from mirror.pages import Markup, element

WIDTH, HEIGHT = 320, 64
# With fewer bars than this they would be blocks; the room of the missing ones stays empty.
SLOTS = 20


def bars(values: Sequence[int], titles: Sequence[str], label: str) -> Markup:
    """A bar chart; each bar's title is what a pointer on it, or a screen reader, tells."""
    slot = WIDTH / max(SLOTS, len(values))
    highest = max(values, default=0) or 1
    drawn = []
    for at, (value, title) in enumerate(zip(values, titles, strict=True)):
        height = max(1.0, (HEIGHT - 2) * value / highest)
        newest = at == len(values) - 1
        drawn.append(
            element(
                "rect",
                element("title", title),
                x=f"{at * slot + slot * 0.15:.1f}",
                y=f"{HEIGHT - height:.1f}",
                width=f"{slot * 0.7:.1f}",
                height=f"{height:.1f}",
                rx="1.5",
                class_="bar newest" if newest else "bar",
            )
        )
    base = element("path", d=f"M0 {HEIGHT - 0.5}H{WIDTH}", class_="base")
    return element(
        "svg",
        base,
        *drawn,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=label,
        preserveAspectRatio="none",
    )


def share(part: int, whole: int, label: str) -> Markup:
    """A horizontal bar: how much of the whole a part is."""
    width = 100 * part / whole if whole else 0
    return element(
        "svg",
        element("rect", x="0", y="0", width="100", height="8", rx="2", class_="track"),
        element(
            "rect", x="0", y="0", width=f"{width:.1f}", height="8", rx="2", class_="bar newest"
        ),
        viewBox="0 0 100 8",
        role="img",
        aria_label=label,
        class_="share",
        preserveAspectRatio="none",
    )
