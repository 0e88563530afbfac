"""From a selection to artifacts: bytes, not files."""
