"""What ``vf-eval debug-gym-verifiers`` imports: verifiers finds environments by the name of a module."""

from debug_gym.integrations.verifiers import DebugGymEnvironment, DebugGymHarness, DebugGymTaskset

__all__ = ["DebugGymEnvironment", "DebugGymHarness", "DebugGymTaskset"]
