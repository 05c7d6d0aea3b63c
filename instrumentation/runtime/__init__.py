"""What goes on inside the process: the event loop, thread pools, the garbage collector."""
