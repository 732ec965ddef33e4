"""Training on the gym's own episodes: data from runs, supervised fine-tuning, reinforcement learning."""
