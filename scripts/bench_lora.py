"""Measure the routed layer beside its base, PEFT with one adapter, PEFT's Arrow, and what arithmetic allows.

    python scripts/bench_lora.py --experts 16 64 --json lora.json
    python scripts/bench_lora.py --device cuda --shape 1.5b --experts 16 64 256
    python scripts/bench_lora.py --quick

All contenders of a row take turns in one run, and every figure is a ratio to the base with no adapter. Random
weights; the experts' prototypes are exact and PEFT's Arrow gets the same ones. Before anything is timed, ours
must equal PEFT's Arrow, and `off` the base.
"""

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from bench.lora import contenders, shapes
from bench.lora.clock import Clock, turns
from rich.console import Console
from rich.table import Table

GOALS = {
    ("100m", "prefill", 16): 1.3,
    ("100m", "prefill", 64): 1.5,
    ("100m", "decode 1", 16): 1.2,
    ("100m", "decode 1", 64): 1.3,
    ("100m", "decode 8", 16): 1.2,
    ("100m", "decode 8", 64): 1.2,
    ("1.5b", "prefill", 16): 1.2,
    ("1.5b", "prefill", 64): 1.35,
    ("1.5b", "prefill", 256): 1.8,
    ("1.5b", "decode 1", 64): 1.08,
    ("1.5b", "decode 64", 64): 1.3,
}
LOADING_GOAL = 1.0


def main() -> int:
    """0: everything was measured and equal where it must be; 1: something was not."""
    options = _options()
    torch.set_grad_enabled(False)
    torch.set_num_threads(options.threads)
    rows, failed = [], False
    with tempfile.TemporaryDirectory() as scratch:
        for count in options.experts:
            try:
                rows += _measure(options, count, Path(scratch, str(count)))
            except contenders.NotEqualError as error:
                print(f"E = {count}: {error}", file=sys.stderr)
                failed = True
    _show(rows)
    if options.json:
        about = {"machine": platform.processor() or platform.machine(), "torch": torch.__version__}
        if options.device == "cuda":
            about["gpu"] = torch.cuda.get_device_name()
        report = {**about, "options": {**vars(options), "json": str(options.json)}, "rows": rows}
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return int(failed)


def _measure(options: argparse.Namespace, count: int, folder: Path) -> list[dict[str, Any]]:
    shape, device, dtype = shapes.SHAPES[options.shape], options.device, getattr(torch, options.dtype)
    print(f"E = {count}: making adapters", file=sys.stderr)
    paths = contenders.make_adapters(shape, folder, count, options.rank)
    clock = Clock(device)
    ours, loading = contenders.ours(shape, paths, options.top_k, device, dtype)
    models: dict[str, Any] = {"base": contenders.base(shape, device, dtype), "ours": ours}
    missing = {}
    models["peft one"] = contenders.peft_one(shape, paths[0], device, dtype)
    if count <= options.rivals_up_to:
        models["peft arrow"], peft_loading = contenders.peft_arrow(shape, paths, options.top_k, device, dtype)
        contenders.check_equal(models, shape, device, exact=dtype == torch.float32)
    else:
        missing["peft arrow"] = f"not built for more than {options.rivals_up_to} experts (--rivals-up-to)"
        peft_loading = None
    contenders.check_off(ours, models["base"], shape, device)
    load = {"what": "load", "experts": count, "seconds": {"ours": loading, "peft": peft_loading}}
    rows: list[dict[str, Any]] = [load]
    for what, steps in _work(options, shape, device):
        print(f"E = {count}: {what}", file=sys.stderr)
        calls = {name: steps(contenders.module(model)) for name, model in models.items()}
        tokens = options.prefill if what == "prefill" else int(what.split()[1])
        seconds = turns(calls, clock, options.seconds, options.rounds)
        ratios = {name: value / seconds["base"] for name, value in seconds.items()}
        bound = shapes.bound(shape, count, options.rank, options.top_k, tokens)
        goal = GOALS.get((options.shape, what, count))
        row = {"what": what, "experts": count, "seconds": seconds, "ratios": ratios, "bound": bound}
        rows.append({**row, "goal": goal, "met": None if goal is None else ratios["ours"] <= goal, **missing})
    return rows


def _work(options: argparse.Namespace, shape: shapes.Shape, device: str) -> Iterator[tuple[str, Any]]:
    yield "prefill", contenders.prefill(shape, options.prefill, device)
    for batch in options.batches:
        yield f"decode {batch}", contenders.decode(shape, batch, device, graphs=options.graphs)


def _show(rows: list[dict[str, Any]]) -> None:
    console = Console(width=None if sys.stdout.isatty() else 120)
    table = Table("E", "what", "base", "ours", "goal", "met", "PEFT, one", "PEFT's Arrow", "arithmetic")
    for row in rows:
        if row["what"] == "load":
            ours, peft = row["seconds"]["ours"], row["seconds"]["peft"]
            met = "yes" if ours <= LOADING_GOAL else "no"
            beside = f"{peft:.2f} s" if peft else "-"
            table.add_row(
                str(row["experts"]), "load", "", f"{ours:.2f} s", f"{LOADING_GOAL:g} s", met, "", beside, ""
            )
            continue
        ratio = {name: f"{value:.2f}" for name, value in row["ratios"].items()}
        table.add_row(
            str(row["experts"]),
            row["what"],
            f"{row['seconds']['base'] * 1e3:.1f} ms",
            ratio["ours"],
            f"{row['goal']:g}" if row["goal"] else "",
            {True: "yes", False: "no", None: ""}[row["met"]],
            ratio["peft one"],
            ratio.get("peft arrow", "-"),
            f"{row['bound']:.2f}",
        )
    console.print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--shape", choices=tuple(shapes.SHAPES), help="default: 100m on a CPU, 1.5b on a GPU")
    parser.add_argument("--experts", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--top-k", type=int, default=3)
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"))
    parser.add_argument("--prefill", type=int, help="tokens; default: 512 on a CPU, 2048 on a GPU")
    parser.add_argument("--batches", type=int, nargs="+", help="of decoding; default: 1 8, on a GPU 1 8 64")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    parser.add_argument("--rounds", type=int, default=60, help="at most, of each row")
    parser.add_argument("--seconds", type=float, default=10, help="of each contender in a row, about")
    parser.add_argument("--rivals-up-to", type=int, default=64, help="experts in PEFT's Arrow")
    parser.add_argument("--no-graphs", dest="graphs", action="store_false", help="decode without CUDA graphs")
    parser.add_argument("--quick", action="store_true", help="a tiny shape, to see that it works")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cuda = options.device == "cuda"
    if options.quick:
        options.shape, options.experts, options.rounds, options.seconds = "tiny", [1, 4], 3, 0.5
        options.prefill = options.prefill or 32
    options.shape = options.shape or ("1.5b" if cuda else "100m")
    options.dtype = options.dtype or ("bfloat16" if cuda else "float32")
    options.prefill = options.prefill or (2048 if cuda else 512)
    options.batches = options.batches or ([1, 8, 64] if cuda else [1, 8])
    options.graphs = options.graphs and cuda
    return options


if __name__ == "__main__":
    sys.exit(main())
