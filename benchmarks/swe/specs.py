"""How SWE-bench tests each repository: test commands, log parsers, environment variables.

From ``swebench.harness.constants.python`` and ``swebench.harness.log_parsers`` of swebench 4.1.0, and, for
the repositories of SWE-Gym, from its fork of the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

TESTBED = "/testbed"
"""On the path where the environment holds a copy of the repository: changes would have no effect."""
_UTF8 = {"LANG": "en_US.UTF-8", "LC_ALL": "en_US.UTF-8", "LANGUAGE": "en_US:en"}
_LOCALE = ("{ sed -i '/en_US.UTF-8/s/^# //g' /etc/locale.gen && locale-gen; } || true",)
_DJANGO = "./tests/runtests.py --verbosity 2 --settings=test_sqlite --parallel 1"
_SYMPY = "bin/test -C --verbose"
_SYMPY_WARNINGS = {"PYTHONWARNINGS": "ignore::UserWarning,ignore::SyntaxWarning"}


@dataclass(frozen=True)
class Spec:
    """How one repository is tested in one of its versions."""

    command: str = "pytest -rA"
    """The harness's, before the test files."""
    parser: str = "pytest"
    """See ``debug_gym.runners.harness_logs``."""
    kind: str = "pytest"
    """How we run it: ``pytest``, ``django`` or ``sympy``."""
    variables: Mapping[str, str] = field(default_factory=dict)
    setup: tuple[str, ...] = ()
    """Run once in the image, as root."""


_OPTIONS = Spec(parser="pytest-options")
_V2 = Spec(parser="pytest-v2")
_OLD_ASTROPY = Spec("pytest -rA -vv -o console_output_style=classic --tb=no", "pytest-v2")

SPECS: dict[str, Spec] = {
    "astropy/astropy": _V2,
    "django/django": Spec(_DJANGO, "django", "django"),
    "marshmallow-code/marshmallow": Spec(),
    "matplotlib/matplotlib": Spec(parser="matplotlib"),
    "mwaskom/seaborn": Spec("pytest --no-header -rA", "seaborn"),
    "pallets/flask": Spec(),
    "psf/requests": Spec(parser="pytest-options", variables={"PYTHONPATH": TESTBED}),
    "pvlib/pvlib-python": Spec(),
    "pydata/xarray": Spec(),
    "pydicom/pydicom": _OPTIONS,
    "pylint-dev/astroid": Spec(),
    "pylint-dev/pylint": _OPTIONS,
    "pytest-dev/pytest": Spec(),
    "pyvista/pyvista": Spec(),
    "scikit-learn/scikit-learn": _V2,
    "sphinx-doc/sphinx": Spec("tox --current-env -epy39 -v --", "pytest-v2"),
    "sqlfluff/sqlfluff": Spec(),
    "sympy/sympy": Spec(_SYMPY, "sympy", "sympy", _SYMPY_WARNINGS),
}
"""By repository; some versions differ, see ``spec_of``."""

GYM_SPECS: dict[str, Spec] = {
    "python/mypy": Spec("pytest -n0 -rA -k", "old-pytest"),
    "getmoto/moto": Spec("pytest -n0 -rA", "old-pytest"),
    "conan-io/conan": Spec("pytest -n0 -rA", "old-pytest", variables={"PYTHONPATH": TESTBED}),
    "dask/dask": Spec("pytest -n0 -rA  --color=no", "old-pytest"),
    "project-monai/monai": Spec("pytest -rA ", "old-pytest"),
    "iterative/dvc": Spec("pytest -rA", "old-pytest"),
    "bokeh/bokeh": Spec("pytest -rA -n0", "old-pytest"),
    "modin-project/modin": Spec("pytest -n0 -rA", "old-pytest"),
    "hypothesisworks/hypothesis": Spec("pytest -n0 -rA --tb=no --no-header", "old-pytest"),
    "pydantic/pydantic": Spec(
        "pytest -rA --tb=short -vv -o console_output_style=classic --no-header", "pydantic"
    ),
    "pandas-dev/pandas": Spec("pytest -rA --tb=long", "old-pytest"),
    "facebookresearch/hydra": Spec("pytest -rA --tb=long", "old-pytest"),
}
"""The repositories of SWE-Gym, in lower case."""

_ALIASES = {
    **dict.fromkeys(
        ("astroid", "flask", "marshmallow", "pvlib", "pytest", "pyvista", "sqlfluff", "xarray"), "pytest"
    ),
    **dict.fromkeys(("pydicom", "pylint", "pytest-options", "requests"), "pytest-options"),
    **dict.fromkeys(("astropy", "scikit", "sphinx"), "pytest-v2"),
}
"""Names of swebench's log parsers that stand for another, without ``parse_log_``."""
_MYPY_PARALLEL = {"1.7", "1.8", "1.9", "1.10", "1.11"}


def spec_of(repo: str, version: str) -> Spec | None:
    """How SWE-bench tests a version of a repository; None: it does not know the repository."""
    if repo == "django/django":
        return _django(version)
    if repo == "astropy/astropy" and version in {"0.1", "0.2", "0.3", "0.4", "1.1", "1.2", "1.3"}:
        return _OLD_ASTROPY
    return SPECS.get(repo)


def gym_spec_of(repo: str, version: str) -> Spec | None:
    """How SWE-Gym tests a version of a repository; None: it does not know the repository."""
    if repo == "python/mypy" and version in _MYPY_PARALLEL:
        return Spec("pytest -rA -k", "old-pytest")
    return GYM_SPECS.get(repo.lower())


def spec_of_parser(log_parser: str) -> Spec | None:
    """How a repository is tested of which a row tells no more than swebench's name for its log parser; None:
    that is none for Python."""
    name = log_parser.removeprefix("parse_log_").replace("_", "-")
    parser = _ALIASES.get(name, name)
    if parser in {"django", "sympy"}:
        return Spec(_DJANGO if parser == "django" else _SYMPY, parser, parser)
    return (
        Spec(parser=parser) if parser in {*_ALIASES.values(), "pytest-v2", "matplotlib", "seaborn"} else None
    )


def _django(version: str) -> Spec:
    """Up to 2.2 it is installed as a copy, up to 3.2 its locale is set."""
    major, _, minor = version.partition(".")
    number = (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (9, 9)
    command = "./tests/runtests.py --verbosity 2" if number == (1, 9) else _DJANGO
    if number < (1, 7):
        return Spec(command, "django", "django", {"PYTHONPATH": TESTBED})
    if number < (3, 0):
        own = {**_UTF8, "PYTHONIOENCODING": "utf8", "PYTHONPATH": TESTBED}
        return Spec(command, "django", "django", own)
    if number < (4, 0):
        return Spec(command, "django", "django", _UTF8, _LOCALE)
    return Spec(command, "django", "django")
