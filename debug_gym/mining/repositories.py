"""A repository to mine by its name: a folder, or a package of the index."""

from pathlib import Path

from debug_gym.errors import ConfigError
from debug_gym.mining.base import Ground
from debug_gym.mining.grounds import GroundMaker
from debug_gym.mining.index import releases, unpacked
from debug_gym.mining.trees import copy_tree, slug, tree


def ground_of(name: str, grounds: GroundMaker, work: Path) -> Ground:
    """The place where the tests of a repository run.

    Raises:
        ConfigError: there is no such repository or package.
        FallenError: its tests do not run.
    """
    local = Path(name).expanduser()
    if local.is_dir():
        folder = local.resolve()
        called = slug(folder.name)
        return grounds.make(called, tree(work / "trees" / called, lambda path: copy_tree(folder, path)))
    if "/" in name:
        raise ConfigError(f"{name} is neither a folder nor the name of a package")
    if not (known := releases(name)):
        raise ConfigError(f"the package index has no source distribution of {name}")
    newest = known[-1]
    called = f"{slug(newest.package)}-{newest.version}"
    folder = tree(work / "trees" / called, lambda path: unpacked(newest, path))
    return grounds.make(called, folder, until=newest.uploaded)
