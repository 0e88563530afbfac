"""CI matrices: which job installs what on which machine."""
