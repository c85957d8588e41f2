"""What can be planted in the small mirror, and which clients then meet which defect."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.doubles.mirror_server import (
    BY_NAME,
    FIREFOX,
    FORMULAE,
    TAG,
    TAPPED,
    Formula,
    Handler,
    MirrorServer,
    Served,
    archive,
    catalogue,
    index,
    packages,
)
from tests.doubles.registry import Signer

BREW_4, BREW_4_INTERNAL, BREW_6 = "4.2-4.5", "4.6-5.1", "5.1.10-6"
EVERYBODY = (BREW_4, BREW_4_INTERNAL, BREW_6)
OLDER = (BREW_4, BREW_4_INTERNAL)
NEWEST = (BREW_6,)

PACKAGES = f"/api/internal/packages.{TAG}.jws.json"
FORMULA = "/api/formula.jws.json"
CASK = "/api/cask.jws.json"
MIGRATIONS = "/api/formula_tap_migrations.jws.json"
JQ = BY_NAME["jq"]
ODD = BY_NAME["lib+a@1"]
TOO_DEEP = b"[" * 200_000
LOGIN_PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"

Plant = Callable[[MirrorServer], None]


@dataclass(frozen=True)
class Fault:
    """A defect's id, who meets it, and how it comes into the mirror."""

    name: str
    defect: str
    clients: tuple[str, ...]
    plant: Plant
    layout: str = "artifact"
    # Whether the mirror is known to hold a cask, and a bottle of another tap.
    holds_more: bool = False
    timeout_seconds: float = 20.0


def gone(*paths: str) -> Plant:
    def plant(mirror: MirrorServer) -> None:
        for path in paths:
            del mirror.files[path]

    return plant


def status(path: str, code: int, **headers: str) -> Plant:
    return answers(path, lambda handler: handler.send(code, b"", **headers))


def answers(path: str, answer: Callable[[Handler], None]) -> Plant:
    def always(handler: Handler) -> bool:
        answer(handler)
        handler.close_connection = True
        return True

    def plant(mirror: MirrorServer) -> None:
        mirror.answers[path] = always

    return plant


def spoilt(path: str, spoil: Callable[[bytes], bytes]) -> Plant:
    return lambda mirror: mirror.spoil(path, spoil(mirror.files[path].body))


def headers(path: str, **changed: str | None) -> Plant:
    return lambda mirror: mirror.headers(path, **changed)


def signed(path: str, payload: object, **how: object) -> Plant:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return lambda mirror: mirror.spoil(path, mirror.signer.sign(text, **how))  # type: ignore[arg-type]  # alg, kid, b64


def swapped(body: bytes) -> bytes:
    return json.dumps({**json.loads(body), "payload": '{"formulae": {}}'}).encode()


def unsigned(body: bytes) -> bytes:
    return json.dumps({**json.loads(body), "signatures": []}).encode()


def broken_signature(body: bytes) -> bytes:
    document = json.loads(body)
    signature = document["signatures"][0]
    signature["signature"] = signature["signature"][::-1]
    return json.dumps(document).encode()


def broken_gzip(handler: Handler) -> None:
    handler.send(200, gzip.compress(LOGIN_PAGE)[:-12], Content_Encoding="gzip")


def redirect(path: str, to: Callable[[MirrorServer], str]) -> Plant:
    def plant(mirror: MirrorServer) -> None:
        mirror.answers[path] = lambda handler: handler.send(302, b"", Location=to(mirror)) or True

    return plant


def elsewhere(host: str) -> Callable[[MirrorServer], str]:
    def address(mirror: MirrorServer) -> str:
        mirror.files["/moved"] = mirror.files[JQ.blob]
        return f"http://{host}:{mirror.port}/moved"

    return address


def cut_short(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b"only this")


def hang(handler: Handler) -> None:
    handler.mirror.ended.wait(15)


def drip(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        if handler.mirror.ended.wait(0.1):
            return
        try:
            handler.wfile.write(b".")
        except OSError:
            return


def hang_in_body(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b"only this")
    handler.mirror.ended.wait(15)


def no_answer(handler: Handler) -> None:
    handler.close_connection = True


def always_304(mirror: MirrorServer) -> None:
    def answer(handler: Handler) -> bool:
        if "If-Modified-Since" not in handler.headers:
            return False
        handler.send(304, b"")
        return True

    mirror.answers[PACKAGES] = answer


def never_304(mirror: MirrorServer) -> None:
    def answer(handler: Handler) -> bool:
        del handler.headers["If-Modified-Since"]
        return False

    mirror.answers[PACKAGES] = answer


def ranges_ignored(mirror: MirrorServer) -> None:
    def answer(handler: Handler) -> bool:
        del handler.headers["Range"]
        return False

    mirror.answers[JQ.blob] = answer


def wrong_range(mirror: MirrorServer) -> None:
    def answer(handler: Handler) -> bool:
        if "Range" not in handler.headers:
            return False
        body = JQ.archive[:20]
        handler.send(206, body, Content_Range=f"bytes 0-19/{len(JQ.archive)}")
        return True

    mirror.answers[JQ.blob] = answer


def bearer_refused(code: int) -> Plant:
    def plant(mirror: MirrorServer) -> None:
        def answer(handler: Handler) -> bool:
            if handler.headers.get("Authorization") is None:
                return False
            handler.send(code, b"")
            return True

        mirror.answers |= dict.fromkeys(mirror.files, answer)

    return plant


def token_demanded(mirror: MirrorServer) -> None:
    """As GHCR does: nothing without a token, and any token will do."""

    def answer(handler: Handler) -> bool:
        if handler.headers.get("Authorization") is not None:
            return False
        handler.send(401, b"")
        return True

    registry = [path for path in mirror.files if path.startswith("/v2/")]
    mirror.answers |= dict.fromkeys(registry, answer)


def unmapped(mirror: MirrorServer) -> None:
    for path in (ODD.manifest, ODD.blob):
        mirror.files[path.replace("libxa/1", "lib+a@1")] = mirror.files.pop(path)


def busy_for_good(mirror: MirrorServer) -> None:
    status(JQ.blob, 429, Retry_After="0")(mirror)


def rebuilt(build: Callable[[Formula], bytes]) -> Plant:
    """jq's bottle holds something else, and every file of the mirror agrees on its digest."""

    def plant(mirror: MirrorServer) -> None:
        body = build(JQ)
        old, new = JQ.digest, hashlib.sha256(body).hexdigest()
        catalogues = {FORMULA: catalogue(FORMULAE), PACKAGES: packages(FORMULAE)}
        for path, payload in catalogues.items():
            signed(path, json.dumps(payload).replace(old, new))(mirror)
        notes = {"sh.brew.bottle.digest": new, "sh.brew.bottle.size": str(len(body))}
        mirror.spoil(JQ.manifest, index(JQ, **notes))
        mirror.files[JQ.blob.replace(old, new)] = Served(body)

    return plant


def of_another_version(mirror: MirrorServer) -> None:
    mirror.spoil(JQ.manifest, index(Formula("jq", "1.7")))


def without_digest(mirror: MirrorServer) -> None:
    mirror.spoil(JQ.manifest, index(JQ, sh_brew_bottle_digest="0" * 64))


def annotated(**notes: str | None) -> Plant:
    return lambda mirror: mirror.spoil(JQ.manifest, index(JQ, **notes))


def bad_padding(formula: Formula) -> bytes:
    return archive({f"{formula.name}-{formula.version}/bin/jq": b"no keg"})


def other_digest(mirror: MirrorServer) -> None:
    """formula.jws.json names jq 1.8.0, which the mirror still holds."""
    older = Formula("jq", "1.8.0", needs=JQ.needs)
    mirror.files[older.manifest] = replaced(mirror.files[JQ.manifest], body=index(older))
    mirror.files[older.blob] = Served(older.archive)
    entries = [older if each is JQ else each for each in FORMULAE]
    signed(FORMULA, catalogue(entries))(mirror)


def in_a_day() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)


def slowly_but_surely(handler: Handler) -> bool:
    time.sleep(0.2)
    return False


def newer_cask(mirror: MirrorServer) -> None:
    """packages.<tag> names a file of the cask that the mirror does not hold."""
    payload = packages(FORMULAE)
    payload["casks"][FIREFOX.token]["sha256"] = "1" * 64
    signed(PACKAGES, payload)(mirror)


FAULTS = (
    Fault("formula.jws.json is gone", "api-file-missing", OLDER, gone(FORMULA)),
    Fault("cask.jws.json is gone", "api-file-missing", OLDER, gone(CASK)),
    Fault("tap migrations are gone", "api-file-missing", OLDER, gone(MIGRATIONS)),
    Fault("packages are gone", "api-file-missing", NEWEST, gone(PACKAGES)),
    Fault(
        "internal formulae are gone",
        "internal-api-file-missing",
        (BREW_4_INTERNAL,),
        gone(f"/api/internal/formula.{TAG}.jws.json"),
    ),
    Fault("packages: login page", "html-instead", NEWEST, spoilt(PACKAGES, lambda _: LOGIN_PAGE)),
    Fault("packages: JSON cut off", "api-not-json", NEWEST, spoilt(PACKAGES, lambda b: b[:-9])),
    Fault("packages: a bare list", "api-not-json", NEWEST, spoilt(PACKAGES, lambda _: b"[]")),
    Fault("packages: too deep", "api-not-json", NEWEST, spoilt(PACKAGES, lambda _: TOO_DEEP)),
    Fault("packages: no signature", "signature-key-unknown", NEWEST, spoilt(PACKAGES, unsigned)),
    Fault(
        "packages: signature broken",
        "signature-mismatch",
        NEWEST,
        spoilt(PACKAGES, broken_signature),
    ),
    Fault("packages: payload swapped", "signature-mismatch", NEWEST, spoilt(PACKAGES, swapped)),
    Fault(
        "formulae: another signer",
        "signature-mismatch",
        OLDER,
        lambda mirror: mirror.spoil(FORMULA, Signer().sign("[]")),
    ),
    Fault(
        "packages: unknown kid",
        "signature-key-unknown",
        NEWEST,
        signed(PACKAGES, packages(FORMULAE), kid="homebrew-2"),
    ),
    Fault(
        "packages: alg none",
        "signature-algorithm",
        NEWEST,
        signed(PACKAGES, packages(FORMULAE), alg="none"),
    ),
    Fault(
        "packages: b64 true",
        "signature-algorithm",
        NEWEST,
        signed(PACKAGES, packages(FORMULAE), b64=True),
    ),
    Fault("packages: a list", "payload-malformed", NEWEST, signed(PACKAGES, [])),
    Fault("packages: no JSON", "payload-malformed", NEWEST, signed(PACKAGES, "{")),
    Fault("casks: an object", "payload-malformed", OLDER, signed(CASK, {})),
    Fault(
        "packages: an entry without version",
        "payload-malformed",
        NEWEST,
        signed(PACKAGES, {"formulae": {"jq": {"bottle_checksum": "0" * 64}}}),
    ),
    Fault(
        "packages of another platform",
        "payload-wrong-tag",
        NEWEST,
        signed(PACKAGES, packages(FORMULAE, "arm64_sonoma")),
    ),
    Fault(
        "packages without bottles",
        "no-bottle-for-platform",
        NEWEST,
        signed(PACKAGES, {"formulae": {"jq": {"stable_version": "1.8.1"}}}),
    ),
    Fault(
        "no Last-Modified",
        "last-modified-missing",
        NEWEST,
        headers(PACKAGES, Last_Modified=None),
    ),
    Fault(
        "Last-Modified is no date",
        "last-modified-missing",
        NEWEST,
        headers(PACKAGES, Last_Modified="yesterday"),
    ),
    Fault(
        "Last-Modified tomorrow",
        "last-modified-in-future",
        NEWEST,
        headers(PACKAGES, Last_Modified=in_a_day()),
    ),
    Fault("conditions are ignored", "conditional-ignored", NEWEST, never_304),
    Fault("304 whatever the date", "conditional-always-304", NEWEST, always_304),
    Fault("gzip is broken", "compression-broken", NEWEST, answers(PACKAGES, broken_gzip)),
    Fault(
        "gzip is only claimed",
        "compression-broken",
        NEWEST,
        answers(PACKAGES, lambda h: h.send(200, b"{}", Content_Encoding="gzip")),
    ),
    Fault(
        "a compression nobody asked for",
        "compression-broken",
        NEWEST,
        answers(PACKAGES, lambda h: h.send(200, b"{}", Content_Encoding="br")),
    ),
    Fault("formula.jws.json: 403", "access-refused", OLDER, status(FORMULA, 403)),
    Fault("packages: 500", "server-error", NEWEST, status(PACKAGES, 500)),
    Fault("packages: 429", "rate-limited", NEWEST, status(PACKAGES, 429)),
    Fault("bottle: 429 for good", "rate-limited", EVERYBODY, busy_for_good),
    Fault("packages: no answer", "no-answer", NEWEST, answers(PACKAGES, no_answer)),
    Fault(
        "packages: hangs",
        "slow-answer",
        NEWEST,
        answers(PACKAGES, hang),
        timeout_seconds=2.0,
    ),
    Fault(
        "packages: drips",
        "slow-answer",
        NEWEST,
        answers(PACKAGES, drip),
        timeout_seconds=2.0,
    ),
    Fault(
        "bottle: hangs in mid-body",
        "slow-answer",
        EVERYBODY,
        answers(JQ.blob, hang_in_body),
        timeout_seconds=2.0,
    ),
    Fault("packages: closed in mid-body", "body-cut-short", NEWEST, answers(PACKAGES, cut_short)),
    Fault("bottle: closed in mid-body", "body-cut-short", EVERYBODY, answers(JQ.blob, cut_short)),
    Fault("manifest is gone", "manifest-missing", EVERYBODY, gone(JQ.manifest)),
    Fault("manifest: 403", "access-refused", EVERYBODY, status(JQ.manifest, 403)),
    Fault(
        "manifest: login page", "html-instead", EVERYBODY, spoilt(JQ.manifest, lambda _: LOGIN_PAGE)
    ),
    Fault(
        "manifest: cut off", "manifest-not-json", EVERYBODY, spoilt(JQ.manifest, lambda b: b[:-9])
    ),
    Fault(
        "manifest of one image",
        "manifest-not-an-index",
        EVERYBODY,
        spoilt(JQ.manifest, lambda _: b'{"mediaType": "x", "config": {}, "layers": []}'),
    ),
    Fault(
        "manifest of another version", "manifest-of-another-version", EVERYBODY, of_another_version
    ),
    Fault("manifest lacks the digest", "manifest-lacks-bottle", EVERYBODY, without_digest),
    Fault(
        "manifest: wrong ref.name",
        "manifest-ref-name-wrong",
        EVERYBODY,
        annotated(org_opencontainers_image_ref_name="1.8.1.arm64_sonoma"),
    ),
    Fault(
        "manifest: too deep",
        "manifest-not-json",
        EVERYBODY,
        spoilt(JQ.manifest, lambda _: TOO_DEEP),
    ),
    Fault(
        "manifest: a size of many digits",
        "size-annotation-wrong",
        EVERYBODY,
        annotated(sh_brew_bottle_size="9" * 5000),
    ),
    Fault("manifest: no tab", "tab-missing", EVERYBODY, annotated(sh_brew_tab=None)),
    Fault("manifest: blank tab", "tab-missing", EVERYBODY, annotated(sh_brew_tab=" ")),
    Fault("manifest: tab is no JSON", "tab-not-json", EVERYBODY, annotated(sh_brew_tab="{")),
    Fault("manifest: tab is no object", "tab-not-json", EVERYBODY, annotated(sh_brew_tab="[]")),
    Fault(
        "manifest: wrong size",
        "size-annotation-wrong",
        EVERYBODY,
        annotated(sh_brew_bottle_size="7000000"),
    ),
    Fault(
        "manifest: no size", "size-annotation-wrong", EVERYBODY, annotated(sh_brew_bottle_size=None)
    ),
    Fault(
        "manifest: Content-Type",
        "manifest-content-type",
        EVERYBODY,
        headers(JQ.manifest, Content_Type="application/octet-stream"),
    ),
    Fault("names with @ and + as they are", "image-name-unmapped", EVERYBODY, unmapped),
    Fault("bottle is gone", "blob-missing", EVERYBODY, gone(JQ.blob)),
    Fault("bottle: truncated", "blob-too-short", EVERYBODY, spoilt(JQ.blob, lambda b: b[:-9])),
    Fault(
        "bottle: one bit flipped",
        "blob-corrupted",
        EVERYBODY,
        spoilt(JQ.blob, lambda b: bytes([b[0] ^ 1]) + b[1:]),
    ),
    Fault("bottle: one byte more", "blob-too-long", EVERYBODY, spoilt(JQ.blob, lambda b: b + b"!")),
    Fault("bottle: empty", "blob-empty", EVERYBODY, spoilt(JQ.blob, lambda _: b"")),
    Fault("bottle: login page", "html-instead", EVERYBODY, spoilt(JQ.blob, lambda _: LOGIN_PAGE)),
    Fault("bottle: no gzip", "blob-not-a-bottle", EVERYBODY, rebuilt(lambda _: b"not gzip")),
    Fault(
        "bottle: no tar",
        "blob-not-a-bottle",
        EVERYBODY,
        rebuilt(lambda _: gzip.compress(b"not a tar" * 99)),
    ),
    Fault("bottle: no keg", "blob-without-keg", EVERYBODY, rebuilt(bad_padding)),
    Fault("ranges are ignored", "range-ignored", EVERYBODY, ranges_ignored),
    Fault("ranges are wrong", "range-wrong", EVERYBODY, wrong_range),
    Fault("a token is demanded", "access-refused", (BREW_4_INTERNAL, BREW_6), token_demanded),
    Fault("Bearer QQ==: 400", "authorization-refused", (BREW_4,), bearer_refused(400)),
    Fault("Bearer QQ==: 401", "authorization-refused", (BREW_4,), bearer_refused(401)),
    Fault(
        "redirect to itself",
        "redirect-loop",
        EVERYBODY,
        redirect(JQ.blob, lambda mirror: mirror.url + JQ.blob),
    ),
    Fault(
        "redirect to a file",
        "redirect-to-other-scheme",
        EVERYBODY,
        redirect(JQ.blob, lambda _: "file:///etc/hosts"),
    ),
    Fault(
        "redirect to no address",
        "redirect-to-other-scheme",
        EVERYBODY,
        redirect(JQ.blob, lambda _: "http://[::1/"),
    ),
    Fault(
        "redirect to another host",
        "redirect-leaves-mirror",
        EVERYBODY,
        redirect(JQ.blob, elsewhere("localhost")),
    ),
    Fault(
        "redirect to a host that is not there",
        "redirect-target-unreachable",
        EVERYBODY,
        redirect(JQ.blob, lambda _: "http://127.0.0.1:9/blob"),
    ),
    Fault("formula.jws.json lags behind", "generations-disagree", EVERYBODY, other_digest),
    Fault(
        "dependency without bottle",
        "dependency-missing",
        EVERYBODY,
        gone(BY_NAME["oniguruma"].blob),
    ),
    Fault(
        "dependency without manifest",
        "dependency-missing",
        EVERYBODY,
        gone(BY_NAME["oniguruma"].manifest),
    ),
    Fault(
        "no portable Ruby",
        "portable-ruby-missing",
        EVERYBODY,
        gone(BY_NAME["portable-ruby"].blob),
    ),
    Fault(
        "flat: no manifest",
        "flat-manifest-missing",
        NEWEST,
        gone(JQ.flat_manifest),
        layout="bottle",
    ),
    Fault(
        "flat: no bottle",
        "blob-missing",
        EVERYBODY,
        gone(ODD.flat_bottle),
        layout="bottle",
    ),
    Fault(
        "flat: no portable Ruby",
        "portable-ruby-missing",
        EVERYBODY,
        gone(BY_NAME["portable-ruby"].flat_bottle),
        layout="bottle",
    ),
    *(
        replaced(fault, holds_more=True)
        for fault in (
            Fault("cask: gone", "cask-missing", EVERYBODY, gone(FIREFOX.blob)),
            Fault("cask: empty", "cask-empty", EVERYBODY, spoilt(FIREFOX.blob, lambda _: b"")),
            Fault(
                "cask: truncated",
                "cask-too-short",
                EVERYBODY,
                spoilt(FIREFOX.blob, lambda body: body[:-9]),
            ),
            Fault(
                "cask: one byte more",
                "cask-too-long",
                EVERYBODY,
                spoilt(FIREFOX.blob, lambda body: body + b"!"),
            ),
            Fault(
                "cask: one bit flipped",
                "cask-corrupted",
                EVERYBODY,
                spoilt(FIREFOX.blob, lambda body: bytes([body[0] ^ 1]) + body[1:]),
            ),
            Fault(
                "cask: login page",
                "html-instead",
                EVERYBODY,
                spoilt(FIREFOX.blob, lambda _: LOGIN_PAGE),
            ),
            Fault("cask: 403", "access-refused", EVERYBODY, status(FIREFOX.blob, 403)),
            Fault(
                "cask: closed in mid-body",
                "body-cut-short",
                EVERYBODY,
                answers(FIREFOX.blob, cut_short),
            ),
            Fault("cask: newer in packages", "cask-missing", NEWEST, newer_cask),
            Fault("tap: manifest is gone", "manifest-missing", EVERYBODY, gone(TAPPED.manifest)),
            Fault(
                "tap: manifest of another bottle",
                "manifest-lacks-bottle",
                EVERYBODY,
                lambda mirror: mirror.spoil(
                    TAPPED.manifest, index(TAPPED, sh_brew_bottle_digest="0" * 64)
                ),
            ),
            Fault("tap: bottle is gone", "blob-missing", EVERYBODY, gone(TAPPED.blob)),
            Fault(
                "tap: bottle truncated",
                "blob-too-short",
                EVERYBODY,
                spoilt(TAPPED.blob, lambda body: body[:-9]),
            ),
            Fault(
                "tap: wrong bottle",
                "blob-corrupted",
                EVERYBODY,
                spoilt(TAPPED.blob, lambda body: bytes([body[0] ^ 1]) + body[1:]),
            ),
        )
    ),
)
