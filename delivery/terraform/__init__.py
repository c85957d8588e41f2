"""Terraform: finding or installing it, its providers, and running it."""
