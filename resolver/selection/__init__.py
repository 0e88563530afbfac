"""Which hashes answer a request, and why."""
