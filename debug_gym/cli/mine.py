"""``debug-gym mine``: tasks from anyone's code."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from debug_gym.cli.app import app
from debug_gym.cli.options import Sandbox, complete

if TYPE_CHECKING:
    from debug_gym.agents.models.base import Model
    from debug_gym.mining.base import Miner, Remember
    from debug_gym.mining.grounds import GroundMaker

mine = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
app.add_typer(mine, name="mine", help="Make a benchmark of the bugs in anyone's code; needs no model.")

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="The benchmark's folder. [dim]\\[default: mined/NAME-SOURCE][/]"),
]
Most = Annotated[int | None, typer.Option("--max", min=1, metavar="N", help="Stop at N tasks.")]
Workers = Annotated[
    int | None,
    typer.Option("--workers", "-w", min=1, help="Candidates at a time. [dim]\\[default: one a CPU][/]"),
]
Python = Annotated[
    Path | None,
    typer.Option(help="An environment that has all that the tests need. [dim]\\[default: one is built][/]"),
]
Requirements = Annotated[
    list[str] | None,
    typer.Option("--requirement", "-r", help="A package that the tests need besides. Repeatable."),
]
Licence = Annotated[
    str, typer.Option(help="The licence of a repository that does not tell; without it, that is refused.")
]
Timeout = Annotated[float, typer.Option(min=1, help="Seconds for one run of all tests.")]
Repeats = Annotated[int, typer.Option(min=1, help="How often each task is proven, in random order.")]
Distance = Annotated[
    int, typer.Option(min=0, help="Calls that must lie between the cause and the test, at least.")
]
Search = Annotated[bool, typer.Option(help="Search all that an agent can read for the answers: slower.")]
Known = Annotated[
    Path | None,
    typer.Option(help="Instances of another benchmark, JSON lines with a patch each: none of them is taken."),
]
Baselines = Annotated[
    bool, typer.Option("--baselines", help="At the end, tell which share repair and random solve: slow.")
]
TELLER = "A model that writes the statements (default: a template)"
ModelName = Annotated[str | None, typer.Option("--model", "-m", help="Its name.", rich_help_panel=TELLER)]
Provider = Annotated[
    str,
    typer.Option(help="How it is asked.", rich_help_panel=TELLER, autocompletion=complete("models")),
]
ModelOptions = Annotated[
    list[str] | None,
    typer.Option("--model-option", metavar="KEY=VALUE", help="An option of it.", rich_help_panel=TELLER),
]


@dataclass(frozen=True)
class Common:
    """What all sources take."""

    output: Path | None
    most: int | None
    workers: int | None
    python: Path | None
    requirements: list[str] | None
    licence: str
    timeout: float
    repeats: int
    distance: int
    search: bool
    known: Path | None
    baselines: bool
    model: str | None
    provider: str
    model_options: list[str] | None
    sandbox: str


@mine.command("git")
def from_git(
    repository: Annotated[
        str, typer.Argument(help="The folder of a git repository, or an address to clone.")
    ],
    *,
    since: Annotated[str, typer.Option(help="Only commits after this date, e.g. 2024-01-01.")] = "",
    until: Annotated[str, typer.Option(help="Only commits before this date.")] = "",
    output: Output = None,
    most: Most = None,
    workers: Workers = None,
    python: Python = None,
    requirement: Requirements = None,
    licence: Licence = "",
    timeout: Timeout = 120,
    repeats: Repeats = 5,
    distance: Distance = 0,
    search: Search = False,
    known: Known = None,
    baselines: Baselines = False,
    model: ModelName = None,
    provider: Provider = "openai",
    model_option: ModelOptions = None,
    sandbox: Sandbox = "namespace",
) -> None:
    """Bugs from a repository's history; the same command again [bold]resumes[/].

    A commit that changes code and tests is a task if its tests fail on the code before it. The smallest part
    of the change that they demand is the fix.

    [cyan]debug-gym mine git ./my-project --since 2024-01-01 --max 20[/]

    [cyan]debug-gym run mined/my-project-git --agent repair[/]

    Exit codes: 0 there are tasks, 1 there are none, 2 wrong input, 130 interrupted.
    """
    from debug_gym.mining.history import History

    common = Common(
        output, most, workers, python, requirement, licence, timeout, repeats, distance, search, known,
        baselines, model, provider, model_option, sandbox,
    )  # fmt: skip
    asked = {"repository": repository, "since": since, "until": until}
    _mine(
        "git",
        common,
        asked,
        repository,
        lambda grounds, work, _: History(repository, grounds, work, since=since, until=until),
    )


@mine.command("mutate")
def from_mutations(
    repository: Annotated[str, typer.Argument(help="A folder, or a package of the index.")],
    *,
    seed: Annotated[int, typer.Option(min=0, help="Another one gives other bugs.")] = 0,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Two bugs in each task, such that interact.")
    ] = False,
    output: Output = None,
    most: Most = 20,
    workers: Workers = None,
    python: Python = None,
    requirement: Requirements = None,
    licence: Licence = "",
    timeout: Timeout = 120,
    repeats: Repeats = 5,
    distance: Distance = 2,
    search: Search = False,
    known: Known = None,
    baselines: Baselines = False,
    model: ModelName = None,
    provider: Provider = "openai",
    model_option: ModelOptions = None,
    sandbox: Sandbox = "namespace",
) -> None:
    """Bugs put into right code, far from where they show; the same command again [bold]resumes[/].

    [cyan]debug-gym mine mutate ./my-project --max 10[/]

    [cyan]debug-gym mine mutate ./my-project --pairs --baselines[/]

    Exit codes: 0 there are tasks, 1 there are none, 2 wrong input, 130 interrupted.
    """
    from debug_gym.mining.mutations import Mutations
    from debug_gym.mining.pairs import MutantPairs
    from debug_gym.mining.repositories import ground_of

    common = Common(
        output, most, workers, python, requirement, licence, timeout, repeats, distance, search, known,
        baselines, model, provider, model_option, sandbox,
    )  # fmt: skip

    def miner(grounds: "GroundMaker", work: Path, _: "Remember") -> "Miner":
        single = Mutations(lambda: ground_of(repository, grounds, work), seed, distance)
        return MutantPairs(single) if pairs else single

    kind = "mutate --pairs" if pairs else "mutate"
    _mine(kind, common, {"repository": repository, "seed": seed}, repository, miner)


@mine.command("release-pairs")
def from_releases(
    packages: Annotated[list[str], typer.Argument(help="Packages of the index that pip is configured with.")],
    *,
    last: Annotated[int, typer.Option(min=1, help="Pairs of each package, the newest first.")] = 8,
    output: Output = None,
    most: Most = None,
    workers: Workers = None,
    python: Python = None,
    requirement: Requirements = None,
    licence: Licence = "",
    timeout: Timeout = 120,
    repeats: Repeats = 5,
    distance: Distance = 0,
    search: Search = False,
    known: Known = None,
    baselines: Baselines = False,
    model: ModelName = None,
    provider: Provider = "openai",
    model_option: ModelOptions = None,
    sandbox: Sandbox = "namespace",
) -> None:
    """Bugs that a release of a package fixed, by its own tests; the same command again [bold]resumes[/].

    [cyan]debug-gym mine release-pairs sqlparse tomlkit --max 10[/]

    Exit codes: 0 there are tasks, 1 there are none, 2 wrong input, 130 interrupted.
    """
    from debug_gym.mining.releases import ReleasePairs

    common = Common(
        output, most, workers, python, requirement, licence, timeout, repeats, distance, search, known,
        baselines, model, provider, model_option, sandbox,
    )  # fmt: skip
    _mine(
        "release-pairs",
        common,
        {"packages": packages, "last": last},
        " ".join(packages),
        lambda grounds, work, remember: ReleasePairs(packages, grounds, work, remember, last),
    )


def _mine(
    kind: str,
    common: Common,
    asked: dict[str, Any],
    origin: str,
    make: "Callable[[GroundMaker, Path, Remember], Miner]",
) -> None:
    """Make everything, mine, show what came of it."""
    from debug_gym.cli.screens.mining import show, watched
    from debug_gym.mining.card import describe
    from debug_gym.mining.duplicates import Known as Fixes
    from debug_gym.mining.duplicates import read_known
    from debug_gym.mining.grounds import GroundMaker
    from debug_gym.mining.ledger import FOLDER, Ledger
    from debug_gym.mining.mine import Session
    from debug_gym.mining.pipeline import Pipeline
    from debug_gym.mining.trees import slug
    from debug_gym.sandbox.registry import working_backend

    backend = working_backend(common.sandbox)
    python = "" if common.python is None else str(common.python.expanduser().absolute())
    also, licence = tuple(common.requirements or ()), common.licence
    grounds = GroundMaker(backend, python, also=also, licence=licence, timeout=common.timeout)
    shown = Path(origin).resolve().name if Path(origin).exists() else origin
    name = f"{slug(shown.rstrip('/').rpartition('/')[2])}-{slug(kind)}"
    folder = common.output or Path("mined", name)
    place = folder.resolve()
    numbers = {"repeats": common.repeats, "distance": common.distance}
    teller = {"model": common.model} if common.model else {}
    with (
        _teller(common) as model,
        Ledger(folder, {"source": kind, **asked, "python": python, **numbers, **teller}) as ledger,
    ):
        miner = make(grounds, place / FOLDER, ledger.remember)
        known = Fixes(read_known(common.known) if common.known else ())
        known.read(place)
        pipeline = Pipeline(miner, place, known, backend, **numbers, search=common.search, model=model)
        session = Session(pipeline, ledger, most=common.most, workers=common.workers or os.cpu_count() or 1)
        with watched(f"mining {shown}") as tell:
            try:
                outcomes = session.run(tell)
            finally:
                made = describe(place, name, kind, shown, [*ledger.outcomes.values()])
    show(Console(), outcomes, str(folder), made)
    if common.baselines and made:
        _tell_baselines(folder, common)
    raise typer.Exit(int(not made))


def _teller(common: Common) -> "AbstractContextManager[Model | None]":
    """The model that writes the statements, if one is named.

    Raises:
        ModelError: it cannot be asked.
    """
    from debug_gym.agents.models.factory import make_model
    from debug_gym.runs.config import parse_options

    if common.model is None:
        return nullcontext()
    model = make_model(
        common.model, common.provider, parse_options(common.model_options or (), "--model-option")
    )
    model.check()
    return model


def _tell_baselines(folder: Path, common: Common) -> None:
    """Let those play what was mined that need no model, and tell which share they solve."""
    from debug_gym.benchmarks.folder import FolderBenchmark
    from debug_gym.checks.baselines import play_baselines
    from debug_gym.cli.screens.live import baseline_watched
    from debug_gym.mining.ledger import FOLDER
    from debug_gym.report.load import load
    from debug_gym.report.quality import solved

    benchmark = FolderBenchmark(folder)
    settings = {"benchmark": str(folder), "sandbox": common.sandbox, "workers": common.workers}
    runs = folder / FOLDER / "baselines"
    if not play_baselines(runs, benchmark, benchmark.ids(), settings, baseline_watched):
        raise typer.Exit(130)
    for agent, (won, judged) in solved(load([runs]), benchmark.state).items():
        typer.echo(f"{agent} solves {won} of {judged} tasks ({won / judged:.0%})")
