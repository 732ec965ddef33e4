"""The way to a cluster: its client, what it says when it refuses, and patience where that helps."""

import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from debug_gym.errors import MissingExtraError, SandboxError, SandboxUnavailableError

try:
    import kubernetes
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError
except ModuleNotFoundError as error:
    raise MissingExtraError(error.name or "kubernetes", "kubernetes") from None

PASSING = {429, 500, 502, 503, 504}
"""Statuses of a server that may do better in a moment."""
TRIES = 6
"""How often something is asked of such a server; the pauses between double, from a quarter of a second."""
TIMEOUT = (10, 60)
"""Seconds to connect, and for an answer."""

_IN_POD = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
"""There in each pod that has an account."""

client: Any = kubernetes.client  # whose types are those of one of its versions
config: Any = kubernetes.config
T = TypeVar("T")


class ClusterError(SandboxError):
    """The cluster refused something, or does not answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Cluster:
    """A namespace of a cluster.

    Args:
        api: the cluster's client.
        namespace: where everything of ours is made.
    """

    def __init__(self, api: Any, namespace: str) -> None:
        self.api, self.namespace = api, namespace
        self.core: Any = client.CoreV1Api(api)
        self.networking: Any = client.NetworkingV1Api(api)

    def another(self) -> "Cluster":
        """The same with a client of its own: the official one is changed while it opens a stream."""
        return Cluster(client.ApiClient(self.api.configuration), self.namespace)

    def ask(self, what: str, call: Callable[..., T], *arguments: Any, missing: T | None = None) -> T | None:
        """Call the server; ask again while that may help.

        Args:
            what: is wanted, for the message.
            call: a method of its client.
            arguments: of the method, without the namespace and the time limit.
            missing: what to give where there is no such thing.

        Raises:
            ClusterError: it refuses, or is gone.
        """
        for left in reversed(range(TRIES)):
            try:
                return call(*arguments, namespace=self.namespace, _request_timeout=TIMEOUT)
            except ApiException as refused:
                if refused.status == 404:
                    return missing
                if not left or refused.status not in PASSING:
                    raise ClusterError(f"{what}: the cluster says: {said(refused)}", refused.status) from None
            except (HTTPError, OSError) as broken:
                if not left:
                    raise ClusterError(f"{what}: the cluster does not answer ({short(broken)})") from None
            time.sleep(0.25 * 2 ** (TRIES - 1 - left))
        raise AssertionError  # the last try has returned or raised

    def version(self) -> str:
        """What the cluster says it is, once it has said that pods may be made and be used here.

        Raises:
            ClusterError: they may not, or it does not answer.
        """
        version = self.ask("the cluster's version", _without_namespace(client.VersionApi(self.api).get_code))
        review = client.AuthorizationV1Api(self.api).create_self_subject_access_review
        for verb, resource, part in (
            ("create", "pods", ""),
            ("delete", "pods", ""),
            ("create", "pods", "exec"),
        ):
            wanted = {"namespace": self.namespace, "verb": verb, "resource": resource, "subresource": part}
            body = {"spec": {"resourceAttributes": wanted}}
            seen = self.ask("a look at our rights", _without_namespace(partial(review, body=body)))
            if seen is None or not seen.status.allowed:
                what = f"{resource}/{part}" if part else resource
                raise ClusterError(
                    f"the account may not {verb} {what} in the namespace {self.namespace}", 403
                )
        return str(version.git_version) if version is not None else "unknown"

    def close(self) -> None:
        """Close the connections."""
        self.api.rest_client.pool_manager.clear()  # which the client itself would leave open
        self.api.close()


def _without_namespace(call: Callable[..., T]) -> Callable[..., T]:
    return lambda namespace, _request_timeout: call(_request_timeout=_request_timeout)


def connect(namespace: str | None) -> Cluster:
    """The cluster that this pod runs in, or else that of ``$KUBECONFIG`` or ``~/.kube/config``.

    Args:
        namespace: None: that of the configuration.

    Raises:
        SandboxUnavailableError: there is no configuration.
    """
    settings = client.Configuration()
    try:
        if Path(_IN_POD).exists() and "KUBECONFIG" not in os.environ:
            config.load_incluster_config(client_configuration=settings)
        else:
            config.load_kube_config(os.environ.get("KUBECONFIG"), client_configuration=settings)
    except (config.ConfigException, OSError, ValueError) as error:
        raise SandboxUnavailableError(
            f"there is no cluster to be found ({short(error)}): set KUBECONFIG, or see whether "
            " kubectl get pods  works"
        ) from None
    return Cluster(client.ApiClient(settings), namespace or _namespace())


def _namespace() -> str:
    try:
        _, active = config.list_kube_config_contexts(os.environ.get("KUBECONFIG"))
    except config.ConfigException:  # then this is a pod of the cluster
        return Path(_IN_POD).read_text(encoding="utf-8").strip()
    return str(active["context"].get("namespace") or "default")


def said(refused: ApiException) -> str:
    """The server's own sentence."""
    try:
        message = json.loads(refused.body or "")["message"]
    except (TypeError, ValueError, KeyError):
        message = refused.reason or f"status {refused.status}"
    return " ".join(str(message).split())[:300]


def short(error: Exception) -> str:
    """The essence of an error, in one line."""
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
