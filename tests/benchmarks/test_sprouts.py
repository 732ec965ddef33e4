"""The generated benchmark: its tasks are distinct, broken, and mended by their gold patch."""

import re
import time

import pytest

from debug_gym.benchmarks.select import select
from debug_gym.benchmarks.sprouts import (
    FAMILIES,
    HIDDEN,
    KNOWN,
    MODULE,
    RUNTIME,
    TEST,
    VALIDATION,
    VISIBLE,
    Sprouts,
)
from debug_gym.benchmarks.sprouts.picker import Picker
from debug_gym.checks.validate import validate_all
from debug_gym.errors import ConfigError, UnknownNameError
from debug_gym.sandbox.registry import shared_backend


def family_of(name):
    return name.rpartition("-")[0]


def test_thousands_of_tasks_cost_nothing_until_one_is_made():
    began = time.process_time()
    benchmark = Sprouts(size=9_000)
    chosen = select(benchmark, ["name-*"], shuffle=3, limit=2)
    assert len(benchmark.ids()) > 200_000 and len(chosen) == 2
    assert time.process_time() - began < 5
    assert chosen.first.source.files[MODULE]


def test_all_tasks_are_different():
    benchmark = Sprouts(size=120)
    made = [benchmark.task(name) for name in benchmark.ids()]
    assert len(made) == 120 * len(KNOWN) > 3_000
    assert len({(task.source.files[MODULE], task.problem) for task in made}) == len(made)


def test_the_same_seed_gives_the_same_tasks_and_another_one_others():
    names = [f"{family}-00007" for family in KNOWN]
    one, same, other = Sprouts(), Sprouts(), Sprouts(seed=1)
    assert [one.task(name) for name in names] == [same.task(name) for name in names]
    assert all(one.task(name).gold_patch != other.task(name).gold_patch for name in names)
    assert one.version != other.version


def test_a_larger_size_adds_tasks_and_changes_none():
    assert Sprouts(size=50).task("name-pair-00049") == Sprouts(size=60).task("name-pair-00049")


def test_splits_have_no_task_and_no_family_in_common_with_training():
    benchmark = Sprouts(size=20)
    parts = {name: set(benchmark.split(name)) for name in benchmark.splits}
    families = {name: {family_of(task) for task in tasks} for name, tasks in parts.items()}
    assert families["test"] == set(TEST) and families["validation"] == set(VALIDATION)
    assert families["seen"] == families["train"] and not parts["seen"] & parts["train"]
    assert not families["train"] & (families["test"] | families["validation"] | families["runtime"])
    assert families["runtime"] == set(RUNTIME)
    assert parts["runtime-train"] | parts["runtime-test"] == parts["runtime"]
    assert not parts["runtime-train"] & parts["runtime-test"]
    kinds = {name.partition("-")[0] for name in FAMILIES}
    assert {name.partition("-")[0] for name in families["test"]} == kinds
    assert set().union(*parts.values()) == set(benchmark.ids())


def test_other_families_can_be_held_out():
    benchmark = Sprouts(size=10, held_out="boundary-*")
    held_out = {family_of(name) for name in benchmark.split("test")}
    assert held_out == {name for name in FAMILIES if name.startswith("boundary-")}
    for part in ("train", "seen", "validation"):
        assert not held_out & {family_of(name) for name in benchmark.split(part)}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": 0}, "size is 1 to 9680 tasks of each family, not 0"),
        ({"size": 10_000_000}, "not 10000000"),
        ({"held_out": "boundary-*,typo-*"}, "no family is like 'typo-\\*'"),
    ],
)
def test_wrong_options(options, said):
    with pytest.raises(ConfigError, match=said):
        Sprouts(**options)


def test_there_is_no_other_split():
    with pytest.raises(UnknownNameError, match="did you mean 'train'"):
        Sprouts().split("trian")


def test_choices_never_repeat():
    def choices(number):
        pick = Picker(number)
        return (pick.some("abcd", 2), pick.one("xyz")), pick.space

    assert choices(0)[1] == 4 * 3 * 3
    assert len({choices(number)[0] for number in range(36)}) == 36


def test_what_is_shown_of_a_runtime_task_does_not_tell_the_value():
    benchmark = Sprouts()
    for family in RUNTIME:
        task = benchmark.task(f"{family}-00000")
        lines = task.gold_patch.splitlines()
        before = re.findall(r"\w+", next(line for line in lines if line.startswith("-") and line[1] != "-"))
        after = re.findall(r"\w+", next(line for line in lines if line.startswith("+") and line[1] != "+"))
        (value,) = (new for old, new in zip(before, after, strict=True) if old != new)
        seen = " ".join([task.problem, *task.source.files.values()])
        assert value not in re.findall(r"\w+", seen)
        call = task.metadata["demonstration"][0]["arguments"]["command"].removeprefix("p sprout.")
        assert str(played(task.source.files[MODULE], call)) == value


def played(source, expression):
    """What an expression gives in a module."""
    namespace = {}
    exec(source, namespace)
    return eval(expression, namespace)


@pytest.mark.parametrize("family", KNOWN)
def test_the_bug_shows_and_the_gold_patch_mends_it(family):
    benchmark = Sprouts(size=1000, seed=5)
    for number in range(0, 1000, 40):
        task = benchmark.task(f"{family}-{number:05}")
        broken, tests = task.source.files[MODULE], [task.source.files[VISIBLE], task.tests.hidden[HIDDEN]]
        mended = apply_to_text(broken, task.gold_patch)
        for test in tests:
            claims = [
                line.strip().removeprefix("assert ") for line in test.splitlines() if " assert " in line
            ]
            assert all(played(mended, claim) for claim in claims)
            assert not all(safely(broken, claim) for claim in claims)


def apply_to_text(text, patch):
    """The patches of this benchmark change one line."""
    old, new = (line[1:] for line in patch.splitlines() if line[0] in "+-" and line[:3] not in ("+++", "---"))
    assert text.count(old + "\n") == 1
    return text.replace(old + "\n", new + "\n")


def safely(source, claim):
    try:
        return played(source, claim)
    except Exception:
        return False


def test_tasks_are_sound():
    benchmark = Sprouts()
    kinds = {name.partition("-")[0]: name for name in KNOWN}  # all are played in the test above
    tasks = [benchmark.task(f"{kinds[kind]}-00011") for kind in ("runtime", min(kinds.keys() - {"runtime"}))]
    found = validate_all(tasks, shared_backend("namespace"), repeats=1, workers=2)
    assert [one.problems for one in found] == [(), ()]
    assert all(one.controls for one in found)
