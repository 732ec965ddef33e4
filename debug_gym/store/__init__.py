"""Runs on disk: their records, how they are written, and what is made of them for others."""
