"""Changing an environment: deploying, rolling back, undoing what failed, taking it down."""
