"""Sandboxes as pods of a Kubernetes cluster."""

from debug_gym.sandbox.kubernetes.backend import KubernetesBackend

__all__ = ["KubernetesBackend"]
