"""MiniStack as a server that saves what changed while it runs, and runs the tasks in its ECS.

By itself MiniStack writes everything but S3 objects only when it ends well (`save_all` in its
`lifespan.shutdown`, version 1.5.33). Its folders and switches come in its own environment
variables, set by sandbox/servers.py.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import logging
import pickle
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack
from ministack.core import persistence

from sandbox import condition_keys, process_environment, trail_tags
from sandbox.ecs_tasks import EcsTasks
from sandbox.identity import IDENTITY_PATH
from sandbox.task_runner import TaskRunner

SETTLE_SECONDS = 0.3  # A burst of requests is one save, and a crash loses at most this much.
READS = frozenset({"GET", "HEAD"})

log = logging.getLogger("sandbox.local_aws")

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Saver:
    """Writes MiniStack's state to its state folder soon after `changed` was set."""

    def __init__(self) -> None:
        self.changed = threading.Event()
        self._saved: dict[str, bytes] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="saver", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Wait for a save that is under way, and begin no other."""
        self._ended.set()
        self.changed.set()
        self._thread.join()

    def _run(self) -> None:
        while self.changed.wait() and not self._ended.wait(SETTLE_SECONDS):
            self.changed.clear()
            self._save()

    def _save(self) -> None:
        # The same list that MiniStack walks at its end; it has no public name.
        for service, get_state in ministack._build_persistence_save_dict().items():
            try:
                state = get_state()
                if state is not None and self._has_changed(service, state):
                    persistence.save_state(service, state)
            except RuntimeError:
                # "dictionary changed size during iteration": a request is writing just now.
                self.changed.set()
            except Exception:
                # As MiniStack's own save_all: what one service holds must not keep the others
                # from being saved. It is in the log, and tried again at the next change.
                log.exception("the state of %s was not saved", service)

    def _has_changed(self, service: str, state: dict[str, Any]) -> bool:
        # Writing the layers' code as JSON takes a tenth of a second, this a hundredth.
        fingerprint = hashlib.blake2b(pickle.dumps(state, protocol=5)).digest()
        changed = self._saved.get(service) != fingerprint
        self._saved[service] = fingerprint
        return changed


class SavingMiniStack:
    """MiniStack's ASGI application; says whose it is, saves its state, looks after its tasks."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.saver = Saver()
        variables = process_environment.inherited()
        self.tasks = TaskRunner(
            EcsTasks(),
            variables=variables,
            folder=Path(variables["STATE_DIR"]).parent / "containers",
            changed=self.saver.changed.set,
        )
        self.tasks.start()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Source: ASGI 3.0, "HTTP & WebSocket" and "Lifespan Protocol"."""
        if scope["type"] == "http" and scope["path"] == IDENTITY_PATH:
            await self._identify(send)
            return
        if scope["type"] == "lifespan":
            await ministack.app(scope, self._stopping_first(receive), send)
            return
        await ministack.app(scope, receive, send)
        if scope.get("method") not in READS:
            self.saver.changed.set()

    async def _identify(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": self.token.encode()})

    def _stopping_first(self, receive: Receive) -> Receive:
        """At its end MiniStack saves everything itself, to the same files."""

        async def next_message() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await asyncio.to_thread(self.tasks.stop)
                await asyncio.to_thread(self.saver.stop)
            return message

        return next_message


def main() -> None:
    """Serve on 127.0.0.1 until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token", required=True, help="what this server answers when asked who")
    given = parser.parse_args()
    condition_keys.install()
    trail_tags.install()
    config = Config()
    config.bind = [f"127.0.0.1:{given.port}"]
    config.keep_alive_timeout = 75  # As MiniStack's own: SDKs keep connections for a minute.
    asyncio.run(serve(SavingMiniStack(given.token), config))  # type: ignore[arg-type] # its own TypedDicts


if __name__ == "__main__":
    main()
