"""What the process itself does: its event loops, tasks, threads and garbage collector."""
