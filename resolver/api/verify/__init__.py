"""Is it all there and intact: what an environment or a lock needs of its mirrors, or all that a mirror on this machine holds."""
