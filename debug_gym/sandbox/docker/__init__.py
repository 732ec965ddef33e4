"""Sandboxes that are containers: for tasks that come as images, and for machines without namespaces."""

from debug_gym.sandbox.docker.backend import DockerBackend

__all__ = ["DockerBackend"]
