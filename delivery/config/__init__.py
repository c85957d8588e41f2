"""config/airbrew.yaml: read with line numbers, checked, merged per environment, rendered."""
