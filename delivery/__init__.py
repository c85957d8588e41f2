"""What the verbs call: configuration, artifacts, Terraform, deploys. Returns values, prints nothing."""
