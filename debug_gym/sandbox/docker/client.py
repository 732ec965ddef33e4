"""The ``docker`` package, which the extra ``docker`` brings."""

from debug_gym.errors import MissingExtraError

try:
    import docker
    from docker.errors import APIError, DockerException, ImageNotFound, NotFound
    from docker.types import LogConfig
    from requests.exceptions import RequestException
except ModuleNotFoundError as error:
    raise MissingExtraError(error.name or "docker", "docker") from None

__all__ = [
    "APIError",
    "DockerException",
    "ImageNotFound",
    "LogConfig",
    "NotFound",
    "RequestException",
    "docker",
]
