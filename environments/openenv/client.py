"""The client, where OpenEnv's programs look for it."""

from debug_gym.integrations.openenv import CallToolAction, DebugGymClient

__all__ = ["CallToolAction", "DebugGymClient"]
