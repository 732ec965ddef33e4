"""The package that OpenEnv's programs look at; all of it is in ``debug_gym.integrations.openenv``."""
