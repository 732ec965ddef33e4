"""Where the packages of a repository lie, and what of it stays at home."""

import subprocess

import pytest

from debug_gym.benchmarks.layout import ignored, package_folders, packages
from debug_gym.benchmarks.repo import Repo


@pytest.fixture
def tree(tmp_path):
    """Make files: ``tree({"src/a.py": ""})`` gives the folder."""

    def make(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return tmp_path

    return make


def git(folder, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("configuration", "where"),
    [
        ({}, "src"),
        ({"pyproject.toml": '[tool.setuptools.packages.find]\nwhere = ["lib"]\n'}, "lib"),
        ({"pyproject.toml": '[tool.setuptools.package-dir]\n"" = "lib"\n'}, "lib"),
        ({"pyproject.toml": '[[tool.poetry.packages]]\ninclude = "shop"\nfrom = "lib"\n'}, "lib"),
        ({"pyproject.toml": '[tool.hatch.build.targets.wheel]\npackages = ["lib/shop"]\n'}, "lib"),
        ({"pyproject.toml": '[tool.pdm.build]\npackage-dir = "lib"\n'}, "lib"),
        ({"setup.cfg": "[options]\npackage_dir =\n    = lib\n"}, "lib"),
        ({"setup.py": "setup(package_dir={'': 'lib'})\n"}, "lib"),
        ({"pyproject.toml": "not toml ["}, "src"),
    ],
)
def test_the_folder_of_the_packages_is_found(tree, configuration, where):
    root = tree({f"{where}/shop/__init__.py": "", "tests/test_a.py": "", **configuration})
    assert package_folders(root) == [where]
    assert packages(root / where) == ["shop"]
    assert Repo(root).task(Repo(root).id).environment.variables == {"PYTHONPATH": where}


def test_packages_in_the_folder_itself_need_no_path(tree):
    root = tree({"shop/__init__.py": "", "setup.py": "", "tests/__init__.py": ""})
    assert package_folders(root) == []
    assert Repo(root).own_modules == ["shop"]
    assert Repo(root, variables={"A": 1}).task(Repo(root).id).environment.variables == {"A": "1"}


def test_a_namespace_package_is_one(tree):
    assert packages(tree({"src/org/shop/__init__.py": ""}) / "src") == ["org"]


def test_a_path_that_is_named_wins(tree):
    root = tree({"src/shop/__init__.py": ""})
    repo = Repo(root, variables={"PYTHONPATH": "other"})
    assert repo.task(repo.id).environment.variables == {"PYTHONPATH": "other"}


FILES = {
    ".gitignore": ".env\nbuild/\n*.bin\n",
    ".env": "KEY=1",
    "build/a.py": "",
    "sub/x.bin": "x",
    "sub/.gitignore": "local.py\n",
    "sub/local.py": "",
    "new.py": "",
    "calc.py": "",
}


def test_what_git_ignores_stays_at_home(tree):
    root = tree(FILES)
    git(root, "init", "-q")
    git(root, "add", ".gitignore", "calc.py", "sub/.gitignore")
    git(root, "commit", "-qm", "x")
    assert ignored(root, untracked=False) == [".env", "build", "sub/local.py", "sub/x.bin"]
    assert "new.py" in ignored(root, untracked=True)
    assert set(Repo(root).files) == {".gitignore", "calc.py", "new.py", "sub/.gitignore"}
    assert set(Repo(root, untracked=False).files) == {".gitignore", "calc.py", "sub/.gitignore"}
    assert ".env" in Repo(root, gitignore=False).files


def test_without_git_the_file_is_read(tree):
    assert {".env", "build/a.py", "sub/x.bin"} <= set(ignored(tree(FILES), untracked=False))


def test_a_folder_that_its_parent_ignores_is_taken_whole(tree):
    root = tree({".gitignore": "play/\n", "play/calc.py": ""})
    git(root, "init", "-q")
    assert set(Repo(root / "play").files) == {"calc.py"}


def test_names_and_paths_are_excluded(tree):
    root = tree({"a.csv": "", "data/b.csv": "", "data/c.py": "", "keep/c.py": ""})
    assert set(Repo(root, exclude=["*.csv", "data/c.py"]).files) == {"keep/c.py"}
    assert set(Repo(root, exclude="data/").files) == {"a.csv", "keep/c.py"}
