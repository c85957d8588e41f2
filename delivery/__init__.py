"""What the verbs call: configuration, artifacts, Terraform, deploys; it prints nothing."""
