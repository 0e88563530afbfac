"""One lock for many stacks and machines: making it, taking a machine's environment out of it, checking it."""
