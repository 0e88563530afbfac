"""Documents as bytes, read and written."""
