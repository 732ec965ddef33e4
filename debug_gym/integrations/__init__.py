"""Thin adapters to other ecosystems, one file each; each needs an extra of its own."""
