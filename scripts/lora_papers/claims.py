"""What the papers claim, and what was measured beside it."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

Seeds = Mapping[int, Mapping[str, float]]
"""Seed -> what was measured -> its value."""


@dataclass(frozen=True)
class Claim:
    """One method does better than another."""

    experiment: str
    better: str
    worse: str
    paper: str
    """Who says so, and on what."""
    more_is_better: bool = False

    def gains(self, seeds: Seeds) -> list[float]:
        """By how much it does better, seed by seed; negative where it does worse."""
        sign = 1 if self.more_is_better else -1
        return [sign * (one[self.better] - one[self.worse]) for one in seeds.values()]


LIBRARY = "Ostapenko et al. 2024 (Phi-2, Mistral; 256 tasks)"
HEADS = "Caccia et al. 2023 (T0, Super-NaturalInstructions)"
MODULES = "Caccia et al. 2025 (two datasets of questions about documents)"
OURS = "not in the papers"

CLAIMS = (
    Claim("clusters", "MBC", "private", LIBRARY),
    Claim("clusters", "MBC", "random", LIBRARY),
    Claim("clusters", "MBC", "shared", LIBRARY + ": matches or surpasses joint training"),
    *(
        claim
        for strength in ("light experts", "strong experts")
        for claim in (
            Claim(strength, "oracle", "arrow", LIBRARY),
            Claim(strength, "arrow", "uniform", LIBRARY),
            Claim(strength, "arrow", "base", LIBRARY),
            Claim(strength, "likelihood", "arrow", OURS),
        )
    ),
    Claim("skills", "MHR", "Poly", HEADS),
    Claim("skills", "MHR", "LoRA alone", HEADS),
    Claim("skills", "MHR-z", "base", HEADS + ": competitive though only z is trained"),
    Claim("skills", "MHR", "MHR-z", HEADS),
    Claim("skills", "MHR-mu", "LoRA alone", HEADS + ": effective, though one adapter"),
    Claim("skills", "MHR-mu", "Poly-mu", HEADS),
    Claim("knowledge", "DCD", "next token", MODULES, more_is_better=True),
    Claim("knowledge", "DCD", "SFT", OURS, more_is_better=True),
    Claim("knowledge", "DCD, reading", "SFT, reading", OURS, more_is_better=True),
    Claim("knowledge", "DCD, reading", "next token, reading", OURS, more_is_better=True),
)


def verdict(gains: list[float]) -> str:
    """``holds`` and ``does not`` where all seeds agree; else ``unclear``."""
    if min(gains) > 0:
        return "holds"
    return "does not" if max(gains) <= 0 else "unclear"


def measured(seeds: Seeds) -> list[str]:
    """Mean and spread (standard deviation over seeds) of all that an experiment measured, as a table."""
    lines = ["| | mean | spread |", "|---|---|---|"]
    for what in next(iter(seeds.values())):
        values = [one[what] for one in seeds.values()]
        lines.append(f"| {what} | {statistics.fmean(values):.3f} | {_spread(values):.3f} |")
    return lines


def judged(results: Mapping[str, Seeds]) -> list[str]:
    """Each claim about what was measured, by how much it holds, in how many seeds, and who claims it."""
    lines = ["| claim | gain | spread | seeds | here | claimed by |", "|---|---|---|---|---|---|"]
    for claim in CLAIMS:
        if seeds := results.get(claim.experiment):
            gains = claim.gains(seeds)
            held = f"{sum(gain > 0 for gain in gains)} of {len(gains)}"
            lines.append(
                f"| {claim.experiment}: {claim.better} over {claim.worse} | {statistics.fmean(gains):+.3f} | "
                f"{_spread(gains):.3f} | {held} | {verdict(gains)} | {claim.paper} |"
            )
    return lines


def _spread(values: list[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0
