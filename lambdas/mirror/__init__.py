"""The mirror's library, used by both Lambdas; it knows no account and no environment name."""
