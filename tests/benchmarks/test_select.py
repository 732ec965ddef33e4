"""Choosing tasks by their ids, without making them."""

import pytest

from debug_gym.benchmarks.base import Benchmark
from debug_gym.benchmarks.select import select
from debug_gym.errors import ConfigError, UnknownNameError
from debug_gym.task import FilesSource, NegativeControl, Task, file_name, from_file_name


class Letters(Benchmark):
    name, version, description = "letters", "1", "Tasks with short names."
    splits = ("first",)
    names = ("ab", "ac", "b", "c[1]")

    def __init__(self):
        self.made = []

    def ids(self):
        return self.names

    def split(self, name):
        return self.names[:2] if name == "first" else super().split(name)

    def load(self, name):
        self.made.append(name)
        return Task(id=name, problem="", source=FilesSource(files={"a.py": ""}))


class Nothing(Letters):
    names = ()
    splits = ()

    def split(self, name):
        return Benchmark.split(self, name)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["ab", "ac", "b", "c[1]"]),
        ({"patterns": ("b", "a*")}, ["ab", "ac", "b"]),
        ({"patterns": ("?c",)}, ["ac"]),
        ({"patterns": ("ac", "a?")}, ["ab", "ac"]),
        ({"patterns": ("c[1]",)}, ["c[1]"]),
        ({"split": "first", "limit": 1}, ["ab"]),
        ({"limit": 2}, ["ab", "ac"]),
    ],
)
def test_tasks_are_chosen_in_the_benchmarks_order_and_none_is_made(options, names):
    benchmark = Letters()
    chosen = select(benchmark, **options)
    assert (list(chosen), len(chosen)) == (names, len(names))
    assert benchmark.made == []
    assert chosen[names[0]].id == names[0]
    assert benchmark.made == names[:1]


def test_a_seed_gives_one_order():
    orders = {tuple(select(Letters(), shuffle=seed)) for seed in range(20)}
    assert len(orders) > 5
    assert list(select(Letters(), shuffle=3)) == list(select(Letters(), shuffle=3))
    assert set(select(Letters(), shuffle=1, limit=2)) < set(Letters.names)


def test_what_matches_nothing_is_refused():
    with pytest.raises(UnknownNameError, match="no task named 'abb': did you mean 'ab'"):
        select(Letters(), ["b", "abb"])
    with pytest.raises(UnknownNameError, match="no split named 'last'"):
        select(Letters(), split="last")
    with pytest.raises(ConfigError, match="'letters' has no tasks"):
        select(Nothing())
    with pytest.raises(ConfigError, match="'letters' has no splits"):
        select(Nothing(), split="first")


def test_a_task_is_made_once_and_unknown_ones_are_named():
    benchmark = Letters()
    assert benchmark.task("b") is benchmark.tasks["b"]
    assert benchmark.made == ["b"]
    with pytest.raises(UnknownNameError, match="did you mean 'b'"):
        benchmark.task("bb")


def test_controls_of_a_benchmark_that_is_not_ours_are_kept_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("DEBUG_GYM_CACHE", str(tmp_path))
    control = NegativeControl(test="t.py::t", path="t.py", line=1, column=0, old="1", new="2")
    file = Letters().controls_file("c[1]")
    assert file.is_relative_to(tmp_path)
    assert Letters().task("c[1]").tests.controls == ()
    file.parent.mkdir(parents=True)
    file.write_text(f"[{control.model_dump_json()}]")
    assert Letters().task("c[1]").tests.controls == (control,)


@pytest.mark.parametrize(
    "name", ["a", "owner/repo", "a b", "..", ".hidden", "a%2Fb", "é", "~x", "a:b*?\\", "A" * 200]
)
def test_every_id_has_a_file_name_that_can_be_read_back(name, tmp_path):
    encoded = file_name(Task(id=name, problem="", source=FilesSource(files={})).id)
    assert from_file_name(encoded) == name
    (tmp_path / f"{encoded}.12.jsonl").touch()
    assert [path.name for path in tmp_path.glob("[!.]*")] == [f"{encoded}.12.jsonl"]


@pytest.mark.parametrize("name", ["", " a", "a\n", "a\nb", "é" * 40])
def test_an_id_that_cannot_be_shown_or_stored_is_refused(name):
    with pytest.raises(ValueError, match="an id"):
        Task(id=name, problem="", source=FilesSource(files={}))
