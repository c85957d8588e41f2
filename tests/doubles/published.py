"""What Lambda holds in a test: in a file, because another process publishes there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Functions:
    """What is deployed: function → ``{"versions": {number: code}, "alias": …}``."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "lambda.json"

    def read(self) -> dict[str, Any]:
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def write(self, functions: dict[str, Any]) -> None:
        self.file.write_text(json.dumps(functions))

    def publish(self, function: str, code: str) -> str:
        """A new version when the code differs from the last one's, as `publish = true` does."""
        functions = self.read()
        held = functions.setdefault(function, {"versions": {}, "alias": None})
        versions = held["versions"]
        if not versions or versions[str(len(versions))] != code:
            versions[str(len(versions) + 1)] = code
        number = str(len(versions))
        if held["alias"] is None:
            held["alias"] = {"FunctionVersion": number, "Description": "", "RevisionId": "1"}
        self.write(functions)
        return number

    def drop(self, function: str) -> None:
        functions = self.read()
        functions.pop(function, None)
        self.write(functions)

    def serving(self, function: str) -> str:
        """The code that the alias `live` stands for."""
        held = self.read()[function]
        return held["versions"][held["alias"]["FunctionVersion"]]
