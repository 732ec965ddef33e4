"""What proves a benchmark: its tasks are sound, its answers out of reach, and cheating does not pay."""
