"""What debug-gym is compared with: Docker, swe-rex, plain subprocesses."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.measure import Contender, RowError, demand
from bench.workplace import Workplace, run

_REX = Path(__file__).with_name("rex_child.py")


def docker_run(place: Workplace, *, faster: float | None = None, within: float | None = None) -> Contender:
    """A fresh container for one command."""
    command = ["docker", "run", "--rm", place.image, "true"]
    sample = None if place.without_docker else run(command)
    return Contender("docker run --rm IMAGE true", sample, place.without_docker, faster, within)


def docker_exec(place: Workplace, *, faster: float) -> Contender:
    """A command in a container that runs."""
    sample = None if place.without_docker else run(["docker", "exec", place.container, "true"])
    return Contender("docker exec CONTAINER true", sample, place.without_docker, faster=faster)


def swe_rex(place: Workplace) -> Contender:
    """`true` in swe-rex's persistent bash session, local deployment; timed in its own process."""
    name = "swe-rex local, `true` in its bash session"
    if place.rivals is None:
        return Contender(name, missing="not asked for: --rivals names a Python that has swe-rex")
    try:
        child = place.spawn(
            [place.rivals, str(_REX)],
            stderr=subprocess.DEVNULL,
            env={**os.environ, "SWE_REX_LOG_STREAM_LEVEL": "CRITICAL"},
        )
    except OSError as error:
        return Contender(name, missing=f"{place.rivals} cannot be run: {error.strerror}")
    assert child.stdin is not None and child.stdout is not None
    asked, answers = child.stdin, child.stdout
    if answers.readline() != "ready\n":
        return Contender(name, missing=f"swe-rex is not installed for {place.rivals}")

    def sample() -> float:
        asked.write("go\n")
        asked.flush()
        answer = answers.readline()
        demand(answer.startswith("seconds "), answer or "swe-rex ended")
        return float(answer.split()[1]) * 1000

    return Contender(name, sample)


def namespaces(count: int, within: float | None = None) -> Contender:
    """The kernel's share of fresh sandboxes: the same namespaces around `true`, by util-linux, one thread a
    core."""
    kinds = ["--user", "--map-root-user", "--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--fork"]
    name = ("" if count == 1 else f"{count} x ") + "`unshare` with the same namespaces, `true`"
    one = run(["unshare", *kinds, "true"])
    try:
        one()
    except (RowError, OSError) as error:
        return Contender(name, missing=f"it does not work here: {error}")

    def sample() -> float:
        begin = time.perf_counter()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda _: one(), range(count)))
        return (time.perf_counter() - begin) * 1000

    return Contender(name, one if count == 1 else sample, within=within)
