"""The things that an agent can do, one file each."""
