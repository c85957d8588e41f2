"""The tasks of `inv`, one file per group: they parse, call and print; none decides."""
