"""The S3 calls that we make, and no others; each failure names the call, the bucket and the key."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mirror.errors import BucketRefused

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

# The settings allow 64 transfers at a time; a thread must never wait for a connection.
CONNECTIONS = 64
JSON_TYPE = "application/json"
# Source: Amazon S3, DeleteObjects.
DELETED_AT_ONCE = 1000
CHUNK_BYTES = 1024 * 1024
# Parts of one upload that are on their way while the next one is read.
PARTS_IN_FLIGHT = 2
_ABSENT = {"NoSuchKey", "404", "NotFound"}
_LOST = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


class Bucket:
    """One bucket. A client is shared by threads; boto3's clients allow that."""

    def __init__(self, client: S3Client, name: str) -> None:
        self._client, self.name = client, name

    @classmethod
    def connect(cls, name: str, endpoint_url: str) -> Self:
        """Connections for this bucket; a local endpoint has no name per bucket, so path style."""
        # TLS and a checksum for each object protect what is sent; a signature over it would
        # hash every byte once more.
        style: Any = {"payload_signing_enabled": False}
        if endpoint_url:
            style["addressing_style"] = "path"
        config = Config(
            max_pool_connections=CONNECTIONS,
            connect_timeout=10,
            read_timeout=30,
            retries={"mode": "standard", "total_max_attempts": 5},
            s3=style,
        )
        return cls(boto3.client("s3", config=config), name)

    def where(self, key: str) -> str:
        """``s3://bucket/key``, for messages."""
        return f"s3://{self.name}/{key}"

    def sizes(self, prefix: str) -> dict[str, int]:
        """Key → bytes of everything below a prefix.

        Raises:
            BucketRefused: the listing was denied or broke off: it says nothing about what is there.
        """
        found: dict[str, int] = {}
        for page in self._pages(prefix):
            found |= {each["Key"]: each["Size"] for each in page.get("Contents", ())}
        return found

    def folders(self, prefix: str) -> list[str]:
        """``snapshots/`` → ``["snapshots/2026-11-22T030000Z/", …]``, sorted."""
        return sorted(
            each["Prefix"]
            for page in self._pages(prefix, Delimiter="/")
            for each in page.get("CommonPrefixes", ())
        )

    def _pages(self, prefix: str, **more: str) -> Iterator[Mapping[str, Any]]:
        """Every page of a listing; boto3 takes one without an onward address for the last."""
        pages: Any = self._client.get_paginator("list_objects_v2")
        with self._named("ListObjectsV2", prefix):
            for page in pages.paginate(Bucket=self.name, Prefix=prefix, **more):
                yield page
                if page.get("IsTruncated") and not page.get("NextContinuationToken"):
                    raise BucketRefused(
                        "ListObjectsV2 has more than it told, and does not say where to go on",
                        where=self.where(prefix),
                        remedy="check what answers for S3 here; nothing was taken for missing",
                    )

    def size(self, key: str) -> int | None:
        """Bytes of one object; None when it is not there."""
        with self._named("HeadObject", key):
            try:
                return self._client.head_object(Bucket=self.name, Key=key)["ContentLength"]
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return None
                raise

    def read(self, key: str) -> bytes:
        """The object's bytes.

        Raises:
            BucketRefused: it is not there, or may not be read.
        """
        with self._named("GetObject", key):
            return self._client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def find(self, key: str) -> bytes | None:
        """The object's bytes; None when it is not there."""
        found = self.find_version(key)
        return found[0] if found else None

    def find_version(self, key: str) -> tuple[bytes, str] | None:
        """The object's bytes and ETag, for `replace`; None when it is not there."""
        with self._named("GetObject", key):
            try:
                answer = self._client.get_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return None
                raise
            return answer["Body"].read(), answer["ETag"]

    def write(
        self, key: str, body: bytes, content_type: str = JSON_TYPE, *, sha256_hex: str = ""
    ) -> None:
        """Put an object; S3 refuses it if its bytes do not arrive as they are here.

        Args:
            sha256_hex: of the body, where it is known already.
        """
        told = base64.b64encode(bytes.fromhex(sha256_hex)).decode() if sha256_hex else None
        with self._named("PutObject", key):
            self._client.put_object(
                Bucket=self.name,
                Key=key,
                Body=body,
                ContentType=content_type,
                ChecksumSHA256=told or checksum(body),
            )

    def write_json(self, key: str, document: Any) -> None:
        """Put a document as JSON."""
        self.write(key, json.dumps(document).encode())

    def replace(self, key: str, document: Any, etag: str | None) -> bool:
        """Put a document if the object still has this ETag, or is still absent (None).

        Returns:
            Whether it was written; False when someone else was faster.
        """
        condition: Any = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        with self._named("PutObject", key):
            try:
                self._client.put_object(
                    Bucket=self.name,
                    Key=key,
                    Body=json.dumps(document).encode(),
                    ContentType=JSON_TYPE,
                    **condition,
                )
            except ClientError as error:
                # IfMatch on a key that was deleted meanwhile is answered with 404.
                if _code(error) in _LOST | _ABSENT:
                    return False
                raise
        return True

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects, in the order given; in a bucket with versions they can be brought back.

        Raises:
            BucketRefused: S3 kept some of them.
        """
        for first in range(0, len(keys), DELETED_AT_ONCE):
            some = keys[first : first + DELETED_AT_ONCE]
            with self._named("DeleteObjects", some[0]):
                answer = self._client.delete_objects(
                    Bucket=self.name,
                    Delete={"Objects": [{"Key": key} for key in some], "Quiet": True},
                )
            for kept in answer.get("Errors", ()):
                raise BucketRefused(
                    f"DeleteObjects kept it: {kept.get('Code')}: {kept.get('Message')}",
                    where=self.where(kept.get("Key", "")),
                    remedy="check that the function's role allows s3:DeleteObject there",
                )

    def chunks(self, key: str) -> Iterator[bytes]:
        """The object's bytes, in pieces.

        Raises:
            BucketRefused: it is not there, may not be read, or broke off.
        """
        with self._named("GetObject", key):
            body = self._client.get_object(Bucket=self.name, Key=key)["Body"]
            with contextlib.closing(body):
                yield from body.iter_chunks(CHUNK_BYTES)

    @contextlib.contextmanager
    def upload(self, key: str, content_type: str) -> Iterator[Upload]:
        """A multipart upload that is gone, parts and all, unless the body completes it."""
        with self._named("CreateMultipartUpload", key):
            upload_id = self._client.create_multipart_upload(
                Bucket=self.name, Key=key, ContentType=content_type, ChecksumAlgorithm="SHA256"
            )["UploadId"]
        upload = Upload(self._client, self.name, key, upload_id)
        try:
            with self._named("UploadPart", key):
                yield upload
        except BaseException:
            # A part that arrives after the abort would stay, so those under way end first.
            upload.stop()
            # The failure that led here is the one to tell; the bucket's lifecycle rule removes
            # an upload that cannot be aborted now.
            with contextlib.suppress(ClientError, BotoCoreError):
                self._client.abort_multipart_upload(Bucket=self.name, Key=key, UploadId=upload_id)
            raise
        finally:
            upload.stop()

    @contextlib.contextmanager
    def _named(self, call: str, key: str) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            raise BucketRefused(
                f"{call} failed: {error}",
                where=self.where(key),
                remedy="check that the bucket exists and the function's role allows the call",
            ) from error


class Upload:
    """One multipart upload under way; parts travel while the caller reads the next one."""

    def __init__(self, client: S3Client, bucket: str, key: str, upload_id: str) -> None:
        self._client = client
        self._place: Any = {"Bucket": bucket, "Key": key, "UploadId": upload_id}
        self._parts: list[Future[Any]] = []
        self._pool = ThreadPoolExecutor(PARTS_IN_FLIGHT)

    def add(self, part: bytes, when_sent: Callable[[], None]) -> None:
        """The next part: at least 5 MiB, except for the last. Source: S3, multipart limits.

        Args:
            when_sent: called once the part is no longer needed, whether S3 took it or not.

        Raises:
            ClientError, BotoCoreError: S3 refused an earlier part.
        """
        for sent in self._parts:
            if sent.done():
                sent.result()
        number = len(self._parts) + 1
        future = self._pool.submit(self._send, number, part)
        future.add_done_callback(lambda _: when_sent())
        self._parts.append(future)

    def complete(self) -> None:
        """Make the object visible."""
        parts = [sent.result() for sent in self._parts]
        self._client.complete_multipart_upload(**self._place, MultipartUpload={"Parts": parts})

    def stop(self) -> None:
        """Wait for the parts that are under way, and send no more."""
        self._pool.shutdown(cancel_futures=True)

    def _send(self, number: int, part: bytes) -> dict[str, Any]:
        told = checksum(part)
        answer = self._client.upload_part(
            **self._place, PartNumber=number, Body=part, ChecksumSHA256=told
        )
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": told}


def checksum(body: bytes) -> str:
    """SHA-256 in base64, as S3 takes it."""
    return base64.b64encode(sha256(body).digest()).decode()


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
