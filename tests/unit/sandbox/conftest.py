"""A sample upstream for all tests of the sandbox: it answers, it is not imitated."""

from __future__ import annotations

import base64
import json
import threading
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from sandbox import sample
from sandbox.upstream import Upstream

ANONYMOUS = {"Authorization": "Bearer QQ=="}


class Client:
    """Asks an upstream and keeps the whole answer: status, headers, body."""

    def __init__(self, url):
        self.address = urlsplit(url).netloc

    def __call__(self, target, method="GET", body=None, **headers):
        parts = urlsplit(target)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection = HTTPConnection(self.address, timeout=10)
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            response.body = response.read()
        finally:
            connection.close()
        return response

    def post(self, target, **value):
        return self(target, "POST", json.dumps(value))

    def payload(self, path):
        """What a signed API file says."""
        return json.loads(json.loads(self(path).body)["payload"])


@pytest.fixture(scope="session")
def upstream(tmp_path_factory):
    """One sample upstream for the whole run, without its one large bottle."""
    with pytest.MonkeyPatch.context() as patch:
        small = {name: one for name, one in sample.RECIPES.items() if name != "llvm-toy"}
        patch.setattr("sandbox.releases.RECIPES", small)
        with Upstream(tmp_path_factory.mktemp("upstream"), token="ours") as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield server
            finally:
                server.shutdown()
                thread.join()


@pytest.fixture
def ask(upstream):
    """A client of the upstream; no fault and no count outlives the test."""
    client = Client(upstream.url)
    yield client
    client("/_sandbox/faults", "DELETE")
    client("/_sandbox/requests", "DELETE")


@pytest.fixture
def jq(upstream):
    """The registry's path of jq's bottle for arm64_tahoe, and the bottle."""
    bottle = upstream.formulae["jq"].bottles["arm64_tahoe"]
    return f"/v2/homebrew/core/jq/blobs/sha256:{bottle.digest}", bottle


def decoded(text):
    """base64url without its padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
