"""GitHub's REST API as far as secrets and variables go, strict about what it is sent.

It opens the sealed boxes with the private key whose public half it hands out, so that a test
sees what GitHub would have stored. Source: GitHub REST API 2022-11-28, "Actions secrets",
"Actions variables", "Encrypting secrets for the REST API".
"""

from __future__ import annotations

import base64
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from nacl.public import PrivateKey, SealedBox

TOKEN = "github_pat_double"
# Below a repository.
PLACE = re.compile(r"/environments/([^/]+)")
NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
PATH = re.compile(
    r"(?:/environments/(?P<environment>[^/]+)|/actions)"
    r"/(?P<kind>secrets|variables)(?:/(?P<name>[^/?]+))?(?:\?.*)?"
)


@dataclass
class Kept:
    """What a place holds: name → value, and name → when it was set, as ISO 8601."""

    values: dict[str, str] = field(default_factory=dict)
    set_at: dict[str, str] = field(default_factory=dict)


@dataclass
class Hub:
    """A repository with its environments.

    `kept` maps (environment or None, ``secrets`` or ``variables``) to what is there;
    `refused` has every request that GitHub would not have taken, and why.
    """

    repository: str = "acme/mirror"
    environments: tuple[str, ...] = ("dev",)
    url: str = ""
    now: str = "2026-11-25T00:00:00Z"
    kept: dict[tuple[str | None, str], Kept] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    key: PrivateKey = field(default_factory=PrivateKey.generate)

    def at(self, environment: str | None, kind: str) -> Kept:
        """The secrets or the variables of an environment, or of the repository."""
        return self.kept.setdefault((environment, kind), Kept())

    def put(self, environment: str | None, kind: str, name: str, value: str, at: str = "") -> None:
        """Have a value there, set when it is said."""
        kept = self.at(environment, kind)
        kept.values[name], kept.set_at[name] = value, at or self.now

    @property
    def public_key(self) -> dict[str, str]:
        """As GitHub hands it out."""
        return {"key_id": "568250167242549743", "key": _base64(self.key.public_key.encode())}

    def opened(self, sent: dict[str, Any]) -> str:
        """What is in the box; an AssertionError where GitHub would refuse it."""
        assert set(sent) == {"encrypted_value", "key_id"}, sorted(sent)
        assert sent["key_id"] == self.public_key["key_id"], "another key"
        box = base64.b64decode(sent["encrypted_value"], validate=True)
        return SealedBox(self.key).decrypt(box).decode()


@contextmanager
def serving(hub: Hub):
    """The API at a local URL, which is put into `hub.url`."""

    class Handler(_Handler):
        known = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield hub
    server.shutdown()
    thread.join()
    server.server_close()


class _Handler(BaseHTTPRequestHandler):
    known: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answered(self._get)

    def do_PUT(self) -> None:
        self._answered(self._put)

    def do_POST(self) -> None:
        self._answered(self._post)

    def do_PATCH(self) -> None:
        self._answered(self._patch)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answered(self, answer: Any) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        sent = json.loads(self.rfile.read(length)) if length else {}
        try:
            if self.headers.get("Authorization") != f"token {TOKEN}":
                status, told = 401, {"message": "Bad credentials"}
            elif (path := self._below_repository()) == "":
                status, told = 200, self._repository()
            elif (place := PLACE.fullmatch(path)) and self._knows(place[1]):
                status, told = 200, self._environment(place[1])
            elif (found := PATH.fullmatch(path)) and self._knows(found["environment"]):
                self._is_json()
                status, told = answer(found, sent)
            else:
                status, told = 404, {"message": "Not Found"}
        except (AssertionError, ValueError, KeyError) as error:
            self.known.refused.append(f"{self.command} {self.path}: {error!r}")
            status, told = 422, {"message": "Validation Failed"}
        self._reply(status, told)

    def _below_repository(self) -> str:
        root = f"/repos/{self.known.repository}"
        return self.path.rstrip("/").removeprefix(root) if self.path.startswith(root) else "/"

    def _is_json(self) -> None:
        assert self.headers.get("User-Agent"), "GitHub answers nobody who does not say who it is"
        if self.command != "GET":
            assert self.headers.get("Content-Type", "").startswith("application/json")

    def _knows(self, environment: str | None) -> bool:
        return environment is None or environment in self.known.environments

    def _repository(self) -> dict[str, Any]:
        return {
            "id": 2002,
            "name": self.known.repository.partition("/")[2],
            "full_name": self.known.repository,
            "url": f"{self.known.url}/repos/{self.known.repository}",
        }

    def _environment(self, name: str) -> dict[str, Any]:
        return {"id": 1, "name": name, "url": f"{self._repository()['url']}/environments/{name}"}

    def _get(self, found: re.Match[str], _: Any) -> tuple[int, Any]:
        if found["kind"] == "secrets" and found["name"] == "public-key":
            return 200, self.known.public_key
        kept = self.known.at(found["environment"], found["kind"])
        if found["name"] is not None:
            return 200, self._told(kept, found["name"], found["kind"])
        listed = [self._told(kept, name, found["kind"]) for name in kept.values]
        return 200, {"total_count": len(listed), found["kind"]: listed}

    @staticmethod
    def _told(kept: Kept, name: str, kind: str) -> dict[str, str]:
        told = {"name": name, "created_at": kept.set_at[name], "updated_at": kept.set_at[name]}
        return told if kind == "secrets" else told | {"value": kept.values[name]}

    def _put(self, found: re.Match[str], sent: dict[str, Any]) -> tuple[int, Any]:
        assert found["kind"] == "secrets", "variables are posted and patched"
        assert NAME.fullmatch(found["name"]), found["name"]
        known = found["name"] in self.known.at(found["environment"], "secrets").values
        value = self.known.opened(sent)
        self.known.put(found["environment"], "secrets", found["name"], value)
        return (204, None) if known else (201, {})

    def _post(self, found: re.Match[str], sent: dict[str, Any]) -> tuple[int, Any]:
        assert found["kind"] == "variables", "secrets are put"
        assert set(sent) == {"name", "value"}, sorted(sent)
        assert sent["name"] not in self.known.at(found["environment"], "variables").values
        self.known.put(found["environment"], "variables", sent["name"], sent["value"])
        return 201, {}

    def _patch(self, found: re.Match[str], sent: dict[str, Any]) -> tuple[int, Any]:
        assert found["kind"] == "variables", "secrets are put"
        assert found["name"] in self.known.at(found["environment"], "variables").values
        self.known.put(found["environment"], "variables", found["name"], sent["value"])
        return 204, None

    def _reply(self, status: int, told: Any) -> None:
        body = b"" if told is None else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
