"""Sandboxes that wait ahead: for the same state, fresh, replaced, and gone when the gym closes."""

import time

import pytest

from debug_gym.sandbox.namespace import NamespaceBackend


@pytest.fixture
def pooled():
    backend = NamespaceBackend(ready=2)
    yield backend
    backend.close()


def _waiting(backend, count):
    """Those that wait, once they are so many."""
    deadline = time.monotonic() + 60
    while True:
        waiting = [sandbox for kind in backend._pool._kinds.values() for sandbox in kind.waiting]
        if len(waiting) == count:
            return waiting
        assert time.monotonic() < deadline, waiting
        time.sleep(0.01)


def test_who_comes_next_gets_one_that_waits_and_others_take_its_place(pooled, make_task):
    task, other = make_task({"a.txt": "a\n"}), make_task({"a.txt": "other\n"})
    pooled.start(task).close()
    first, second = _waiting(pooled, 2)
    renamed = task.model_copy(update={"problem": "Something else is wrong."})
    with pooled.start(renamed) as taken:
        assert taken is first and taken.task.problem == "Something else is wrong."
        assert taken.exec("cat a.txt; ls").output == "a\na.txt\n"
    with pooled.start(other) as new:
        assert new.exec("cat a.txt").output == "other\n"
    assert second in _waiting(pooled, 4)


def test_one_that_has_died_is_left_aside_and_closing_ends_all(pooled, make_task):
    task = make_task({"a.txt": "a\n"})
    pooled.start(task).close()
    first, second = _waiting(pooled, 2)
    first.connection.fail("killed")
    with pooled.start(task) as taken:
        assert taken is second
    waiting = _waiting(pooled, 2)
    pooled.close()
    assert not any(sandbox.connection.alive for sandbox in waiting)
    with pooled.start(task) as again:
        assert again.exec("cat a.txt").output == "a\n"
