"""A cloud and a Homebrew on this machine: a local AWS, and a sample upstream to mirror."""
