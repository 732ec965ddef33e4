"""The agents: what decides the next tool call."""
