"""Stored runs in the forms of others: predictions, conversations to train on, trajectories."""
