"""What a stack definition asks for."""
