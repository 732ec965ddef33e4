"""The debugger, and its end in the runtime: ``session`` starts it, ``program`` is the debugged process."""
