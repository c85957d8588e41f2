"""The record of what was deployed where."""
