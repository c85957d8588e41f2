"""What CI decides: which event deploys what, which suites a change needs, how a run ended."""
