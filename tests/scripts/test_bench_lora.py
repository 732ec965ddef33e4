"""scripts/bench_lora.py: the shape of its report, and that it measures nothing that is wrong. No times are judged."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_quick_run_reports_all_contenders(tmp_path):
    file = tmp_path / "figures.json"
    command = [sys.executable, "-W", "ignore", str(SCRIPTS / "bench_lora.py"), "--quick", "--json", str(file)]
    done = subprocess.run([*command, "--rivals-up-to", "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(file.read_text())["rows"]
    assert [row["what"] for row in rows] == ["load", "prefill", "decode 1", "decode 8"] * 2
    for row in rows:
        beside = {"peft arrow"} if row["experts"] == 1 else set()
        if row["what"] != "load":
            assert set(row["ratios"]) == {"base", "ours", "peft one"} | beside
            assert row["ratios"]["base"] == 1 and row["bound"] > 1


def test_what_computes_something_else_is_not_timed(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import torch
    from bench.lora import contenders, shapes

    shape = shapes.SHAPES["tiny"]
    plain, other = (contenders.base(shape, "cpu", torch.float32) for _ in range(2))
    other.lm_head.weight.data += 0.1
    with torch.no_grad():
        contenders.check_equal({"ours": plain, "peft arrow": plain}, shape, "cpu", exact=True)
        with pytest.raises(contenders.NotEqualError, match="differs"):
            contenders.check_equal({"ours": plain, "peft arrow": other}, shape, "cpu", exact=True)
    for name in [name for name in sys.modules if name.split(".")[0] == "bench"]:
        del sys.modules[name]
