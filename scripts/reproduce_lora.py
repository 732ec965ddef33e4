"""Do the orderings that papers on LoRA libraries claim hold for a small model that is trained on the spot?

    python scripts/reproduce_lora.py --work lora-papers
    python scripts/reproduce_lora.py --work lora-papers --seeds 5 --only skills
    python scripts/reproduce_lora.py --work lora-papers --size tiny --seeds 1

MBC against private, random and shared experts; Arrow against uniform, likelihood and oracle, with experts
that were trained a little and well; MHR against Poly, MHR-z and MHR-mu; deep context distillation against
next-token training and SFT. What was measured is kept: started again, it goes on with the rest.
See docs/lora-papers.md.
"""

import argparse
import functools
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lora_papers import claims, families
from lora_papers.base import SIZES, Size, base
from lora_papers.knowledge import knowledge
from lora_papers.skills import skills

Experiment = Callable[[Any, Size, int, Path], dict[str, float]]
"""Model, size, seed, a folder -> what was measured."""


def experiments(size: Size) -> dict[str, tuple[str, Experiment]]:
    """Name -> what its figures are, and how they come about."""
    rewriting = "nats for a token of held-out sequences; less is better"
    light = functools.partial(families.routers, steps=size.light_steps)
    strong = functools.partial(families.routers, steps=size.steps)
    return {
        "clusters": (f"{rewriting}; the last two lines: adjusted Rand index, 1 is best", families.clusters),
        "light experts": (rewriting, light),
        "strong experts": (rewriting, strong),
        "skills": (f"{rewriting}; new tasks of {size.few} sequences", skills),
        "knowledge": ("share of right answers; more is better", knowledge),
    }


def main() -> None:
    """Measure what is missing, and print all of it."""
    options = _options()
    torch.set_num_threads(options.threads)
    size = SIZES[options.size]
    place = options.work / options.size
    place.mkdir(parents=True, exist_ok=True)
    model = base(size, place / "base")
    results = _read(place / "results.json")
    known = experiments(size)
    for seed in range(options.seeds):
        for name in options.only or known:
            if str(seed) in results.setdefault(name, {}):
                continue
            started = time.process_time()
            results[name][str(seed)] = known[name][1](model, size, seed, place / f"seed-{seed}")
            _write(place / "results.json", results)
            print(f"{name}, seed {seed}: {time.process_time() - started:.0f} s of CPU", flush=True)
        shutil.rmtree(place / f"seed-{seed}", ignore_errors=True)
    print("\n".join(report(results, size)))


def report(results: dict[str, dict[str, dict[str, float]]], size: Size) -> list[str]:
    """What was measured and what that says about the claims, as Markdown."""
    seeds = {
        name: {int(seed): scores for seed, scores in found.items()}
        for name, found in results.items()
        if found
    }
    lines = []
    for name, (unit, _) in experiments(size).items():
        if name in seeds:
            lines += ["", f"### {name.capitalize()}", "", f"{unit[0].upper()}{unit[1:]}.", ""]
            lines += claims.measured(seeds[name])
    return [*lines, "", "### Claims", "", *claims.judged(seeds)]


def _read(path: Path) -> dict[str, dict[str, dict[str, float]]]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _write(path: Path, results: dict[str, dict[str, dict[str, float]]]) -> None:
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    scratch.replace(path)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="for the base, experts and figures")
    parser.add_argument(
        "--seeds", type=int, default=3, help="seeds 0, 1, ... of tasks and experts [default: 3]"
    )
    parser.add_argument("--size", choices=SIZES, default="small", help="tiny: only to see that all runs")
    parser.add_argument("--only", action="append", choices=[*experiments(SIZES["tiny"])], help="repeatable")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU [default: 1]")
    return parser.parse_args()


if __name__ == "__main__":
    main()
