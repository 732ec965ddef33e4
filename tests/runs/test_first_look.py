"""What is seen of one's own repository before anybody plays it."""

import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from debug_gym.errors import TaskError
from debug_gym.runs.config import load_config
from debug_gym.runs.plan import prepare


@pytest.fixture
def shop(tmp_path):
    """A package in ``src`` with a wrong price, and a test of it."""
    for name, content in {
        "src/shop/__init__.py": "",
        "src/shop/prices.py": "def twice(n):\n    return 2 * n - 1\n",
        "tests/test_prices.py": (
            "from shop.prices import twice\n\ndef test_two():\n    assert twice(2) == 4\n\n"
            "def test_type():\n    assert isinstance(twice(1), int)\n"
        ),
    }.items():
        path = tmp_path / "repo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "repo"


@pytest.fixture
def environment(shop):
    """A virtual environment in the repository with pytest, and a right copy of the package."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", shop / ".venv"], check=True)
    (site,) = shop.glob(".venv/lib/python3*/site-packages")
    for name in ("pytest", "pluggy", "iniconfig", "packaging", "pygments"):
        for file in distribution(name).files:
            if file.parts[0] not in {"..", "__pycache__"} and "__pycache__" not in file.parts:
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(Path(file.locate()), site / file)
    (site / "shop").mkdir()
    (site / "shop" / "__init__.py").touch()
    (site / "shop" / "prices.py").write_text("def twice(n):\n    return 2 * n\n")
    return site


def look(folder, **options):
    given = {"benchmark": "repo", "benchmark_options": {"path": str(folder), **options}, "agent": "random"}
    return prepare(load_config([], given)).first_look()


def test_a_package_in_src_is_tested_as_it_stands(shop):
    found = look(shop)
    assert (found.collected, found.failing) == (2, 1)
    assert found.sentence == "2 tests collected, 1 of them fails"


@pytest.mark.parametrize("command", ["python -m pytest", "pytest"])
def test_an_installed_copy_is_not_what_is_tested(shop, environment, command):
    assert look(shop, test_command=command).failing == 1


@pytest.mark.parametrize("place", [".", "lib/inner"])
@pytest.mark.parametrize("how", ["path", "finder"])
def test_an_editable_install_leads_to_the_repository(shop, environment, how, place):
    """Neither pytest nor the build configuration says where the package is."""
    shutil.rmtree(environment / "shop")
    (shop / place).mkdir(parents=True, exist_ok=True)
    (shop / "src/shop").rename(shop / place / "shop")
    if how == "path":
        (environment / "_shop.pth").write_text(f"{shop / place}\n")
    else:
        name = "__editable___shop_1_0_finder"
        (environment / "__editable__.shop-1.0.pth").write_text(f"import {name}; {name}.install()\n")
        table = {"shop": str(shop / place / "shop")}
        (environment / f"{name}.py").write_text(f"MAPPING: dict = {table!r}\ndef install(): pass\n")
    assert look(shop, test_command="pytest").failing == 1


def test_a_copy_that_would_be_tested_is_refused(shop, environment):
    with pytest.raises(TaskError, match=r"import shop from .*site-packages/shop.*variables\.PYTHONPATH=src"):
        look(shop, variables={"PYTHONPATH": "nowhere"})


@pytest.mark.parametrize(
    ("test", "said", "advice"),
    [
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'", "-b python="),
        ("", "no tests ran", "--test-command"),
    ],
)
def test_tests_that_do_not_run_are_quoted_with_what_may_help(shop, test, said, advice):
    (shop / "tests" / "test_prices.py").write_text(test)
    with pytest.raises(TaskError) as caught:
        look(shop)
    assert said in str(caught.value) and advice in str(caught.value)


def test_a_repository_with_nothing_to_repair_is_told(shop):
    (shop / "src/shop/prices.py").write_text("def twice(n):\n    return 2 * n\n")
    assert "nothing to repair" in look(shop).sentence


def test_a_benchmark_that_is_validated_is_not_looked_at():
    config = load_config([], {"benchmark": "nightmares", "agent": "random"})
    assert prepare(config).first_look() is None
