"""A model learns here, from nothing: reading, imitation of the oracle, then playing (GRPO), on ``sprouts``.

    python scripts/reproduce_learning.py --size ci
    python scripts/reproduce_learning.py --size small --seeds 0 1 2
    python scripts/reproduce_learning.py --size small --only debugger

Killed and started again, it goes on. See docs/training.md.
"""

import argparse
import os
import statistics
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from learning import stages
from learning.stages import DEBUGGER, SIZES, Setting, figures

from debug_gym.errors import DebugGymError

HELD_OUT = {"seen": "other tasks of the families learned from", "test": "families that nobody learned from"}
Table = dict[tuple[str, str], list[dict[str, float]]]
"""Split and stage to the figures of each seed."""


def main() -> int:
    """0: done; 2: wrong input."""
    options = _options()
    torch.set_num_threads(options.threads)
    try:
        if options.only in {None, "stages"}:
            _show(_stages(options), "learning")
        if options.only in {None, "debugger"}:
            _show(_debugger(options), "with and without pdb")
    except DebugGymError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _stages(options: argparse.Namespace) -> Table:
    setting = Setting(options.output / "stages", SIZES[options.size])
    stages.oracle(setting)
    table: Table = {}
    for seed in options.seeds:
        base = stages.base(setting, seed)
        sft = stages.sft(setting, base, seed)
        grpo = stages.grpo(setting, sft, seed)
        for split in HELD_OUT:
            for name, model in (("untrained", base), ("SFT", sft), ("GRPO", grpo)):
                found = figures(stages.evaluate(setting, model, split))
                table.setdefault((split, name), []).append(found)
                print(f"seed {seed}, {split}, {name}: {found}", flush=True)
    return table


def _debugger(options: argparse.Namespace) -> Table:
    """The same learner twice, on the part whose value stands nowhere in the text."""
    table: Table = {}
    arms = {"without": (("view", "rewrite"), 2), "with pdb": (("view", "pdb", "rewrite"), 3)}
    for name, (tools, calls) in arms.items():
        folder = options.output / name.replace(" ", "-")
        setting = Setting(folder, DEBUGGER[options.size], tools, "runtime-train", calls)
        stages.oracle(setting)
        for seed in options.seeds:
            model = stages.sft(setting, stages.base(setting, seed), seed)
            found = figures(stages.evaluate(setting, model, "runtime-test"))
            table.setdefault(("runtime-test", name), []).append(found)
            print(f"seed {seed}, {name}: {found}", flush=True)
    return table


def _show(table: Table, title: str) -> None:
    print(f"\n{title}: mean and spread (standard deviation) over seeds, in per cent\n")
    print("| tasks | learner | valid calls | solved |\n|---|---|---|---|")
    for (split, name), found in table.items():
        cells = [_cell([one[key] for one in found]) for key in ("validity", "solved")]
        print(f"| `{split}` | {name} | {cells[0]} | {cells[1]} |")
    sys.stdout.flush()


def _cell(values: list[float]) -> str:
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{100 * statistics.fmean(values):.0f} ± {100 * spread:.0f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", choices=["stages", "debugger"])
    parser.add_argument("--output", type=Path, default=Path("learning"))
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
