"""What an invocation talks to: made once per Lambda sandbox, shared by its threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from mirror.bucket import Bucket
from mirror.downloads import Downloads
from mirror.fetching import Fetcher
from mirror.registry import Registry
from mirror.settings import Environment, Settings


@dataclass(frozen=True)
class Connections:
    """The settings, the bucket and upstream."""

    settings: Settings
    bucket: Bucket
    fetcher: Fetcher
    registry: Registry

    @classmethod
    def connect(cls, variables: Mapping[str, str]) -> Self:
        """From the function's environment variables.

        Raises:
            BadSettings: they, or the settings they point to, are wrong.
            BucketRefused: the settings cannot be read.
        """
        environment = Environment.read(variables)
        bucket = Bucket.connect(environment.bucket, environment.endpoint_url)
        key = environment.settings_key
        settings = Settings.parse(bucket.read(key), bucket.where(key))
        fetcher = Fetcher()
        return cls(settings, bucket, fetcher, Registry(settings.upstream.registry_url, fetcher))

    @property
    def downloads(self) -> Downloads:
        """The vendors of casks."""
        return Downloads.of(self.fetcher, self.settings)

    def with_settings(self, settings: Settings) -> Self:
        """The same connections for other settings of the same upstream registry."""
        return replace(self, settings=settings)
