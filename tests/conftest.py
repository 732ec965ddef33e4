"""What all tests share: repositories on disk, and live sandboxes around them."""

import os
from contextlib import ExitStack

import pytest

from debug_gym.sandbox.namespace import NamespaceBackend
from debug_gym.task import DirectorySource, Environment, Task
from debug_gym.tools.base import Session


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory):
    """No test touches the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEBUG_GYM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def make_task(tmp_path_factory):
    """``make_task({"a.py": "x = 1\\n"}, **fields of Task)``: a task around a new folder with these files."""

    def make(files, **fields):
        folder = tmp_path_factory.mktemp("repository")
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        values = {"id": "example", "problem": "Something is wrong.", "source": DirectorySource(path=folder)}
        return Task(**{**values, **fields})

    return make


@pytest.fixture(scope="module")
def backend():
    if not os.path.isdir("/proc/self/ns"):
        pytest.skip("needs Linux")
    running = NamespaceBackend()
    yield running
    running.close()


@pytest.fixture
def make_session(backend, make_task):
    """``make_session(files, **fields of Task)``: what tools work on, around a sandbox of this one test.

    Nothing is imported ahead unless the fields say so: a module's sandboxes share one warm interpreter.
    """
    with ExitStack() as sandboxes:
        yield lambda files, **fields: _session(sandboxes, backend, make_task, files, fields)


@pytest.fixture(scope="module")
def make_shared_session(backend, make_task):
    """The same around a sandbox that lives as long as the test module."""
    with ExitStack() as sandboxes:
        yield lambda files, **fields: _session(sandboxes, backend, make_task, files, fields)


def _session(sandboxes, backend, make_task, files, fields):
    task = make_task(files, **{"environment": Environment(preload=()), **fields})
    return Session(sandbox=sandboxes.enter_context(backend.start(task)), task=task)
