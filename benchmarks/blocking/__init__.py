"""Is every blocked event loop found, and nothing else? `make bench-blocking`."""
