"""Two bugs that interact: told by the tests that fail with one, with the other, and with both."""

import sys

import pytest

from debug_gym.mining.base import FallenError
from debug_gym.mining.grounds import GroundMaker
from debug_gym.mining.hunks import apply_hunks, hunks
from debug_gym.mining.mutations import Mutations
from debug_gym.mining.mutators import Mutant
from debug_gym.mining.pairs import MutantPairs, together

RIGHT = "def a():\n    x = 1\n    return x\n\n\ndef b():\n    y = 2\n    return y\n"


def test_mutants_of_one_file_come_together():
    one = Mutant("m.py", RIGHT.replace("    x = 1\n", ""), 2, "forgotten", 1.0)
    two = Mutant("m.py", RIGHT.replace("return y", "return y + 1"), 8, "constant", 1.0)
    expected = RIGHT.replace("    x = 1\n", "").replace("return y", "return y + 1")
    for pair in ((one, two), (two, one)):
        assert together({"m.py": RIGHT, "n.py": "z = 3\n"}, pair) == {"m.py": expected, "n.py": "z = 3\n"}


@pytest.mark.slow
def test_a_pair_fails_other_tests_than_its_parts(shop, backend):
    ground = GroundMaker(backend, python=sys.executable).make("shop", shop.root)
    pairs = MutantPairs(Mutations(lambda: ground))
    drafts, fallen = [], []
    for candidate in pairs.find():
        try:
            drafts.append(pairs.draft(candidate))
        except FallenError as error:
            fallen.append((candidate, error.why))
        if drafts and fallen:
            break
    draft = drafts[0]
    right = set(ground.run({}).passed)

    def failing(texts):
        return right - set(ground.run(texts).passed)

    parts = hunks(draft.fixed, draft.broken)
    assert len(parts) == 2
    one, two = (failing(apply_hunks(draft.fixed, draft.broken, [part])) for part in parts)
    both = failing(draft.broken)
    assert both != one | two
    told = draft.metadata["interaction"]
    assert sorted(told["alone"]) == sorted([len(one), len(two)])
    assert told["together"] == len(both)
    assert told["only_together"] == len(both - (one | two))
    assert told["hidden"] == len((one | two) - both)
    # Those that fell are no such pairs.
    candidate, why = fallen[0]
    assert why == "the two bugs do not interact"
    mutants = [Mutant(**candidate.facts[name]) for name in ("one", "two")]
    texts = pairs.mutations.texts([mutant.path for mutant in mutants])
    alone = [failing({mutant.path: mutant.text}) for mutant in mutants]
    assert failing(together(texts, mutants)) == alone[0] | alone[1]
