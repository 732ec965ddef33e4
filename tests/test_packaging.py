"""What is installed is what is in the tree."""

import importlib
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from debug_gym import plugins

ROOT = Path(__file__).parent.parent
LINKS = {"debug_gym/tools": "tools", "debug_gym/agents": "agents", "debug_gym/benchmarks": "benchmarks"}


def _tracked():
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [line for line in listing.stdout.splitlines() if (ROOT / line).is_file()]


def _expected():
    """Paths in the wheel of the code and the data in the tree."""
    tops = {"debug_gym": "debug_gym", **{folder: link for link, folder in LINKS.items()}}
    expected = {"debug_gym_verifiers.py"}
    for path in _tracked():
        top, _, rest = path.partition("/")
        if top in tops and rest and path not in LINKS:
            expected.add(f"{tops[top]}/{rest}")
    return expected


def test_the_wheel_holds_the_tree(tmp_path):
    pytest.importorskip("build")
    tree = tmp_path / "tree"  # building leaves a folder behind
    for path in _tracked():
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, target, follow_symlinks=False)
    command = [
        sys.executable,
        "-m",
        "build",  # a source distribution, and the wheel from it
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(tree),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == _expected()


def test_every_package_is_listed():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = set(config["tool"]["setuptools"]["packages"])
    found = {
        path.rpartition("/")[0].replace("/", ".")
        for path in _expected()
        if path.endswith("/__init__.py") and "/nightmares/tasks/" not in path
    }
    assert listed == found


@pytest.mark.parametrize("link", LINKS)
def test_the_links_are_relative(link):
    path = ROOT / link
    assert path.is_symlink()
    assert str(path.readlink()) == f"../{LINKS[link]}"


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group in plugins.BUILTIN for name in plugins.BUILTIN[group]]
)
def test_every_registered_name_can_be_loaded(group, name):
    assert plugins.load(group, name).__name__


def test_an_entry_point_of_another_package_is_found(tmp_path, monkeypatch):
    info = tmp_path / "extra-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[debug_gym.tools]\ncount = extra_tool:Count\n")
    (tmp_path / "extra_tool.py").write_text("class Count: name = 'count'\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    plugins._targets.cache_clear()
    try:
        assert "count" in plugins.names("tools")
        assert plugins.load("tools", "count").name == "count"
    finally:
        monkeypatch.undo()
        plugins._targets.cache_clear()


def test_the_public_names_are_there():
    import debug_gym

    for name in debug_gym.__all__:
        assert getattr(debug_gym, name)
    with pytest.raises(AttributeError, match="nope"):
        debug_gym.nope  # noqa: B018


def test_a_checkout_that_is_not_installed_says_so_in_a_sentence(tmp_path):
    venv.create(tmp_path / "env", symlinks=True)
    python = tmp_path / "env/bin/python"
    done = subprocess.run(
        [python, "-E", "-m", "debug_gym"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert (
        done.stderr
        == f"error: debug-gym is not installed in {python}: in its folder, `pip install -e .` installs it\n"
    )
