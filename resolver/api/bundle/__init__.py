"""A mirror that holds just the closure of an environment: planned, fetched, indexed, written beside its environment."""
