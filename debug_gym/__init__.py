"""debug-gym: an interactive debugging gym for agents."""
