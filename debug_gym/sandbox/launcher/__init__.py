"""What starts a sandbox of namespaces: a warm interpreter on the host, and the walls around its forks."""
