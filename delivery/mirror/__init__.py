"""The deployed mirror as the delivery sees it: its orchestrator, its bucket, what it published."""
