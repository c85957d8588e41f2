"""Help texts of the options that many verbs have."""

ENV_HELP = "dev, staging or prod, as named in config/airbrew.yaml"
JSON_HELP = "print one JSON document instead of text"
WAIT_HELP = "seconds to wait for somebody else's deploy of it to end (default: leave at once)"
