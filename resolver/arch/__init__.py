"""Where a build can run: targets, platforms, the machine as a value."""
