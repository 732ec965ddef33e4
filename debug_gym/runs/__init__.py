"""Runs: a benchmark, an agent and a model, played in parallel and kept on disk."""
