"""Where attempts are played: in this process, or on the machines of a cluster."""
