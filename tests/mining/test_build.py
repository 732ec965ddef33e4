"""The benchmark ``pypi``, made of its recipe and the package index."""

import pytest
from typer.testing import CliRunner

from debug_gym.benchmarks.pypi import Pypi, built_folder, read_recipe
from debug_gym.cache import cache_folder
from debug_gym.checks.validate import validate_all
from debug_gym.cli import app
from debug_gym.errors import ConfigError, HostError
from debug_gym.mining.index import releases
from debug_gym.mining.rebuild import build
from debug_gym.sandbox.registry import working_backend

SMALL = "isodate-0.6.1-08d9c77e"


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A cache of its own in which nothing is built; environments are those of the other one."""
    environments = cache_folder() / "environments"
    environments.mkdir(parents=True, exist_ok=True)
    (tmp_path / "environments").symlink_to(environments)
    monkeypatch.setenv("DEBUG_GYM_CACHE", str(tmp_path))


@pytest.fixture
def index(empty):
    try:
        releases("isodate")
    except HostError as error:
        pytest.skip(f"no package index: {error}")


def test_before_it_is_built_one_sentence_says_so(empty):
    with pytest.raises(ConfigError, match=r"not built yet: .* debug-gym build pypi$"):
        Pypi().task(SMALL)
    with pytest.raises(ConfigError, match="only pypi does"):
        CliRunner().invoke(app, ["build", "nightmares"], catch_exceptions=False)


@pytest.mark.timeout(600)
def test_the_index_gives_what_the_recipe_says(index):
    words = ["build", "pypi", "--tasks", "isodate-*", "--tasks", "sqlparse-0.6.1-*"]
    first = CliRunner().invoke(app, words)
    assert first.exit_code == 0, first.output
    [found] = validate_all([Pypi().task(SMALL)], working_backend("namespace"), repeats=1)
    assert found.sound, found.problems
    gone = built_folder() / SMALL / "gold.patch"
    gone.write_text(gone.read_text() + "\n")
    with pytest.raises(ConfigError, match="not what the recipe makes"):
        Pypi().task(SMALL)
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 0 and "1 of them made now" in again.output
    assert Pypi().task(SMALL).metadata["origin"] == "isodate"


def test_what_has_another_digest_is_refused(index, tmp_path):
    recipe = read_recipe(SMALL)
    older = recipe.older.model_copy(update={"sha256": "0" * 64})
    for altered, what in (
        ({"digest": "0" * 16}, SMALL),
        ({"older": older}, "isodate 0.6.0"),
        ({"tree": "0" * 16}, "the repository"),
    ):
        with pytest.raises(HostError, match=rf"^{what}.* is not what the recipe says"):
            list(build({SMALL: recipe.model_copy(update=altered)}, tmp_path / "built"))
        assert not (tmp_path / "built" / SMALL).exists()
