"""Reports on stored runs: figures that can be trusted, in the terminal and as a page that needs no server."""
