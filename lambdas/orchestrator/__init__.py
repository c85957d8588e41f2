"""The Lambda that plans a sync and publishes its result."""
