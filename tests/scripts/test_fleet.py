"""scripts/bench/fleet.py: it plays what it says and counts all of it. No times are judged."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench" / "fleet.py"
FEW = "--cpus 1 --tasks 1 --episodes 1 --rounds 1 --model-workers 1 --model-episodes 1 --delay 0.01".split()


@pytest.mark.timeout(600)
def test_each_row_has_its_rate_and_who_used_the_processor():
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *FEW], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()
    ]
    assert {len(row) for row in rows} == {len(head)}
    table = [dict(zip(head, row, strict=True)) for row in rows]
    assert [row["agent"] for row in table] == ["random", "llm"]
    for row in table:
        hourly = int(row["episodes an hour"].replace(",", ""))
        shares = row["CPU ms an episode: gym + templates + sandboxes"].split(" + ")
        assert hourly > 0 and len(shares) == 3 and sum(map(int, shares)) > 0, row
        assert (row["of the first row"], row["per CPU of it"][-1]) == ("1.00 x", "%")
