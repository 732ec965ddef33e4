"""The tracer: ``run`` is its end in the runtime and the traced process."""
