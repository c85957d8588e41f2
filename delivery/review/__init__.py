"""What is looked at between a plan and its apply: what it does, may it, was it approved."""
