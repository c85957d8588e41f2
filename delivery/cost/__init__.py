"""What an environment costs a month, reckoned offline from its plan and its configuration."""
