"""What a leaderboard site is made of: bundles, unpacked for as long as they are read, as runs of a report."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from debug_gym.errors import ConfigError
from debug_gym.report.load import Entry, load
from debug_gym.store.bundles import Bundle, unpack


@dataclass(frozen=True)
class Submission:
    """A bundle and its run."""

    bundle: Bundle
    entry: Entry


@contextmanager
def submissions(paths: Iterable[Path]) -> Iterator[list[Submission]]:
    """Read bundles, and all ``*.zip`` in and below folders. What is unpacked is there until the end.

    Raises:
        ConfigError: there is no bundle, a file is none, or one was altered.
        HostError: there is no room to unpack them.
    """
    files = list(dict.fromkeys(file for path in paths for file in _files(path)))
    with tempfile.TemporaryDirectory(prefix="debug-gym-site-") as scratch:
        bundles = []
        for number, file in enumerate(files):
            folder = Path(scratch) / f"{number}" / file.stem
            folder.mkdir(parents=True)
            bundle = unpack(file, folder)
            if bundle.altered:
                raise ConfigError(
                    f"{file} was altered: {bundle.altered[0]}; debug-gym verify {file} tells all"
                )
            bundle.run()  # says what is wrong with it
            bundles.append(bundle)
        entries = load([bundle.folder for bundle in bundles])
        yield [Submission(bundle, entry) for bundle, entry in zip(bundles, entries, strict=True)]


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path.resolve()]
    found = sorted(file.resolve() for file in path.rglob("*.zip"))
    if not found:
        raise ConfigError(f"there is no bundle in or below {path}: debug-gym submit-pack makes one of a run")
    return found
