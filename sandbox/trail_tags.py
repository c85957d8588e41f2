"""Tags of a trail, which MiniStack 1.5.33 forgets when they come with the call that makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import cloudtrail

Answer = tuple[int, dict[str, str], Any]


def install() -> None:
    """Keep them; the table of its calls has no public name."""
    calls = cloudtrail._DISPATCH
    calls["CreateTrail"] = _with_tags(calls["CreateTrail"], calls["AddTags"])


def _with_tags(
    create: Callable[[dict[str, Any]], Answer], tag: Callable[[dict[str, Any]], Answer]
) -> Callable[[dict[str, Any]], Answer]:
    def created(body: dict[str, Any]) -> Answer:
        answer = create(body)
        if answer[0] == 200 and body.get("TagsList"):
            arn = cloudtrail._trail_arn(body["Name"])
            tag({"ResourceId": arn, "TagsList": body["TagsList"]})
        return answer

    return created
