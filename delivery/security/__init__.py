"""Whether a deployed account is as safe as it was declared to be, shown control by control."""
