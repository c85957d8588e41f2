"""The Lambda that carries one batch of bottles from upstream into the bucket."""
