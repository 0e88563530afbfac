"""Use cases: a typed request in, a typed result out. What Python users call."""
