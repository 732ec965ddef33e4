"""Bundles of real runs, as they are and altered in every way that somebody may think of."""

import hashlib
import json
import shutil
import sys
import zipfile

import pytest

from debug_gym.cli import main
from debug_gym.store.bundles import CARD

SOURCE = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
}
GOLD = "--- a/calc.py\n+++ b/calc.py\n@@ -2 +2 @@\n-    return a - b\n+    return a + b\n"
CONFIG, RESULTS, PREDICTIONS = "config.json", "results.jsonl", "predictions.jsonl"
EPISODE = "trajectories/calc.0.jsonl"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with a repository, a run of the oracle in it, one of random calls, and their bundles."""
    folder = tmp_path_factory.mktemp("runs")
    repository = folder / "calc"
    repository.mkdir()
    for name, text in SOURCE.items():
        (repository / name).write_text(text)
    (folder / "fix.diff").write_text(GOLD)
    options = ["--path", repository, "-b", f"gold_patch={folder / 'fix.diff'}"]
    played = {"oracle": ["-o", "by=edits"], "random": ["--max-steps", "6", "--seed", "3", "-k", "2"]}
    for agent, more in played.items():
        run = folder / agent
        assert call("run", "repo", *options, "-a", agent, *more, "--output", run) == 0
        assert call("submit-pack", run, "-o", folder / f"{agent}.zip") == 0
    return folder


def call(*arguments):
    """The command in this process; gives the exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["debug-gym", *map(str, arguments)])
        try:
            main()
        except SystemExit as ended:
            return ended.code or 0
    return 0


@pytest.fixture
def verify(capsys):
    """Verify a bundle; gives the exit code and all that was written."""

    def verify_(path, *options):
        capsys.readouterr()
        code = call("verify", path, *options)
        return code, "".join(capsys.readouterr())

    return verify_


@pytest.fixture
def alter(runs, tmp_path):
    """``alter({name: function of the text, or None})``: the oracle's bundle with other files, digests made anew
    unless told otherwise."""

    def alter_(changes, *, digests=True):
        with zipfile.ZipFile(runs / "oracle.zip") as archive:
            files = {name: archive.read(name).decode() for name in archive.namelist()}
        for name, change in changes.items():
            if change is None:
                del files[name]
            else:
                files[name] = change(files.get(name, ""))
        if digests:
            card = json.loads(files[CARD])
            hashed = {name: sha(text) for name, text in files.items() if name != CARD}
            files[CARD] = json.dumps({**card, "files": hashed})
        path = tmp_path / "altered.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return path

    return alter_


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def lines(change):
    """Change the records of a file of JSON lines: ``change(list of records)``, in place."""

    def changed(text):
        records = [json.loads(line) for line in text.splitlines()]
        change(records)
        return "".join(json.dumps(record) + "\n" for record in records)

    return changed


def replaced(old, new):
    def change(text):
        assert old in text
        return text.replace(old, new)

    return change


@pytest.mark.parametrize("agent", ["oracle", "random"])
def test_what_was_not_altered_is_verified(runs, verify, agent):
    code, said = verify(runs / f"{agent}.zip")
    assert code == 0, said
    episodes = 1 if agent == "oracle" else 2
    assert f"{episodes} of {episodes} episodes" in said


def test_equal_runs_give_equal_bundles(runs, tmp_path):
    shutil.copytree(runs / "oracle", tmp_path / "oracle")
    call("submit-pack", tmp_path / "oracle", "-o", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (runs / "oracle.zip").read_bytes()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({EPISODE: lambda text: text + " "}, f"{EPISODE} was changed"),
        ({EPISODE: None}, f"{EPISODE} is missing"),
        ({"trajectories/other.0.jsonl": lambda _: "{}\n"}, "trajectories/other.0.jsonl was added"),
    ],
)
def test_digests_find_files_that_were_changed(alter, verify, changes, told):
    code, said = verify(alter(changes, digests=False))
    assert (code, told in said) == (1, True), said


def test_a_damaged_byte_is_found(runs, tmp_path, verify):
    data = bytearray((runs / "oracle.zip").read_bytes())
    with zipfile.ZipFile(runs / "oracle.zip") as archive:
        entry = archive.getinfo(EPISODE)
    data[entry.header_offset + 30 + len(EPISODE) + entry.compress_size // 2] ^= 0xFF
    (tmp_path / "damaged.zip").write_bytes(data)
    code, said = verify(tmp_path / "damaged.zip")
    assert (code, f"{EPISODE} was changed" in said) == (1, True), said


def resolve(wanted):
    """Another verdict, everywhere in the trajectory and in the results."""

    def in_episode(records):
        verdict = records[-1]["verdict"]
        verdict["resolved"], verdict["reason"] = wanted, "" if wanted else "a test fails"
        records[-1]["status"] = "resolved" if wanted else "unresolved"

    def in_results(records):
        records[0] |= {
            "status": "resolved" if wanted else "unresolved",
            "reason": "" if wanted else "a test fails",
        }

    return {EPISODE: lines(in_episode), RESULTS: lines(in_results)}


def told_otherwise(records):
    records[1]["observation"]["text"] = "all is well"


def played_otherwise(records):
    step = next(record for record in records if "a + b" in json.dumps(record.get("call")))
    step["call"] = json.loads(json.dumps(step["call"]).replace("a + b", "a * b"))
    records[-2]["reward"] = 0.5


def test_another_verdict_is_found_by_judging_again(alter, verify):
    code, said = verify(alter(resolve(False)))
    assert code == 1
    assert "calc.0: not resolved (a test fails) in the records, resolved here" in said


def test_an_observation_that_was_never_made_is_found_with_its_step(alter, verify):
    code, said = verify(alter({EPISODE: lines(told_otherwise)}))
    assert (code, 'calc.0 step 0: the observation differs: in line 1 "all is well"' in said) == (1, True), (
        said
    )


def test_a_call_that_was_not_made_is_found_by_what_it_leaves(alter, verify):
    code, said = verify(alter({EPISODE: lines(played_otherwise)}))
    assert code == 1
    assert "calc.0: resolved in the records, not resolved" in said
    assert "the observation differs: in line" in said
    assert "reward is 0.5 in the records and 0.0 here" in said


def test_another_patch_is_found(alter, verify):
    def patched(records):
        records[-1]["patch"] = records[-1]["patch"].replace("a + b", "3")

    as_well = {PREDICTIONS: replaced("a + b", "3")}
    code, said = verify(alter({EPISODE: lines(patched), **as_well}))
    assert code == 1
    assert "calc.0: the patch differs" in said
    code, said = verify(alter(as_well))
    assert (code, "predictions.jsonl does not hold the patches" in said) == (1, True), said


def test_results_must_be_those_of_the_trajectories(alter, verify):
    code, said = verify(alter({RESULTS: replaced('"steps":', '"cheating":0,"steps":1')}), "--no-replay")
    assert code == 1, said
    code, said = verify(
        alter({RESULTS: lines(lambda records: records[0].update(seconds=0.1))}), "--no-replay"
    )
    assert (code, "calc.0: seconds is 0.1 in results.jsonl" in said) == (1, True), said


def test_attempts_that_were_left_out_are_missed(alter, verify):
    code, said = verify(alter({RESULTS: lambda _: "", PREDICTIONS: None, EPISODE: None}))
    assert (code, "1 of 1 attempts have no verdict" in said) == (1, True), said


def test_nothing_of_a_bundle_is_started_on_this_machine(alter, verify, tmp_path):
    """A configuration may name programs and unsafe sandboxes: they are from a stranger."""
    mark = tmp_path / "started"

    def with_server(text):
        return json.dumps(
            json.loads(text) | {"config": json.loads(text)["config"] | {"mcp": [f"touch {mark}"]}}
        )

    code, said = verify(alter({CONFIG: with_server}))
    assert (code, mark.exists()) == (0, False), said
    assert "tools of MCP servers are not here" in said
    code, said = verify(alter({CONFIG: replaced('"sandbox": "namespace"', '"sandbox": "process"')}))
    assert (code, "isolates nothing: --sandbox says" in said) == (2, True), said


@pytest.mark.parametrize(
    "name",
    ["../outside.jsonl", "/tmp/outside.jsonl", "trajectories/../../outside.jsonl", "trajectories/.jsonl"],
)
def test_names_that_lead_elsewhere_are_refused(alter, verify, tmp_path, name):
    code, said = verify(alter({name: lambda _: "x"}))
    assert (code, "it is not unpacked" in said) == (2, True), said
    assert not list(tmp_path.rglob("outside*"))


def test_what_is_no_bundle_is_refused(tmp_path, alter, verify):
    text = tmp_path / "text.zip"
    text.write_text("no archive")
    for path, told in (
        (text, "is no bundle"),
        (tmp_path, "cannot be read"),
        (tmp_path / "missing.zip", "cannot be read"),
        (alter({CARD: None}, digests=False), "holds no bundle.json"),
    ):
        code, said = verify(path)
        assert (code, told in said) == (2, True), said
    code, said = verify(alter({CARD: replaced('"format": 1', '"format": 9')}))
    assert (code, "update debug-gym" in said) == (2, True), said
    code, said = verify(alter({CONFIG: lambda _: "{}"}))
    assert (code, "config.json" in said) == (2, True), said


def test_tasks_of_another_version_are_refused(runs, alter, verify):
    changed = lines(lambda records: records[0].update(benchmark_version="0"))
    text = json.dumps(json.loads((runs / "oracle" / CONFIG).read_text()))
    code, said = verify(alter({CONFIG: lambda _: changed(text)}))
    assert (code, "the run was played on repo 0, and here it is" in said) == (2, True), said


def test_unfinished_runs_make_a_bundle_only_if_asked(runs, tmp_path, capsys, verify):
    run = tmp_path / "half"
    shutil.copytree(runs / "random", run)
    first = (run / RESULTS).read_text().splitlines(keepends=True)[0]
    (run / RESULTS).write_text(first)
    assert call("submit-pack", run, "-o", tmp_path / "half.zip") == 2
    assert "1 of 2 attempts" in capsys.readouterr().err
    assert not (tmp_path / "half.zip").exists()
    assert call("submit-pack", run, "-o", tmp_path / "half.zip", "--partial") == 0
    code, said = verify(tmp_path / "half.zip")
    assert (code, "1 of 2 attempts have no verdict" in said, "1 of 1 episodes" in said) == (1, True, True), (
        said
    )


def test_json_names_the_step(alter, verify, capsys):
    code = call("verify", alter({EPISODE: lines(told_otherwise)}), "--json")
    found = json.loads(capsys.readouterr().out)
    assert (code, found["sound"]) == (1, False)
    (difference,) = found["attempts"][0]["differences"]
    assert (difference["kind"], difference["step"]) == ("observation", 0)
