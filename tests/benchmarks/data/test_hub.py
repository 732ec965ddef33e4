"""Data sets: downloaded once, checked, resumed, kept; or read from a copy on disk."""

import json

import pytest

from debug_gym.benchmarks.data import dataset
from debug_gym.benchmarks.data.hub import files_of
from debug_gym.errors import ConfigError, HostError, TaskError

ROWS = [{"instance_id": f"a__b-{n}", "patch": f"+{n}\n", "FAIL_TO_PASS": ["t"] * n} for n in range(5)]


@pytest.fixture
def files(parquet):
    return {
        "README.md": b"# Sums\n",
        "data/test-00000-of-00002.parquet": parquet(ROWS[:3]),
        "data/test-00001-of-00002.parquet": parquet(ROWS[3:]),
        "data/dev-00000-of-00001.parquet": parquet([{"instance_id": "dev"}]),
        "lines.jsonl": "".join(json.dumps(row) + "\n" for row in ROWS).encode(),
    }


@pytest.fixture
def hub(make_hub, files):
    return make_hub("sums/small", files)


def test_rows_come_from_all_files_of_the_split(hub):
    rows = dataset("sums/small")
    assert list(rows) == [row["instance_id"] for row in ROWS]
    assert [rows[name] for name in rows] == ROWS
    assert list(dataset("sums/small", "dev")) == ["dev"]
    assert list(dataset("sums/small", "lines")) == list(rows)


def test_what_was_downloaded_needs_no_network(hub, monkeypatch):
    first = dataset("sums/small")
    asked = len(hub.asked)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert dict(dataset("sums/small")) == dict(first)
    assert dataset("sums/small").digest == first.digest
    assert len(hub.asked) == asked


def test_no_network_is_one_sentence_that_says_what_to_put_where(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(
        HostError, match=r"--data-dir FOLDER : put its files there \(test-\*\.parquet from http"
    ):
        dataset("sums/small")


def test_an_unknown_data_set(hub):
    with pytest.raises(HostError, match="sums/large cannot be downloaded"):
        dataset("sums/large")


def test_an_unknown_split_names_the_files(hub):
    with pytest.raises(ConfigError, match=r"no files of a split 'validation': README.md, data/test-00000"):
        dataset("sums/small", "validation")


@pytest.mark.parametrize("path", ["data/test-00001-of-00002.parquet", "lines.jsonl"])
def test_a_damaged_file_is_refused_and_removed(hub, path):
    hub.lies.add(path)
    split = path.rpartition("/")[2].partition("-")[0].partition(".")[0]
    with pytest.raises((TaskError, HostError)):
        dataset("sums/small", split)
    hub.lies.clear()
    assert len(dataset("sums/small", split)) == 5


def test_a_download_that_breaks_off_is_resumed(hub):
    hub.files["big.jsonl"] = b"".join(
        json.dumps({"instance_id": f"a{n}", "text": "x" * 1000}).encode() + b"\n" for n in range(20000)
    )
    hub.breaks = 1
    assert len(dataset("sums/small", "big")) == 20000
    ranges = [of for method, path, of in hub.asked if method == "GET" and path.endswith("big.jsonl")]
    assert len(ranges) == 2
    assert ranges[1].startswith("bytes=")
    assert int(ranges[1].removeprefix("bytes=").rstrip("-")) > 0


@pytest.mark.parametrize("below", ["", "small", "sums/small"])
def test_a_copy_of_the_files(hub, files, tmp_path, below):
    for name, data in files.items():
        path = tmp_path / "copy" / below / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    rows = dataset("sums/small", data_dir=tmp_path / "copy")
    assert dict(rows) == {row["instance_id"]: row for row in ROWS}
    assert rows.digest == dataset("sums/small").digest, "the same data is the same version"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mine.jsonl", "\n".join(map(json.dumps, ROWS))),
        ("mine.json", json.dumps(ROWS)),
        ("test.json", json.dumps(ROWS)),
    ],
)
def test_a_copy_in_another_format(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    (tmp_path / "README.md").write_text("about")
    assert dict(dataset("sums/small", data_dir=tmp_path)) == {row["instance_id"]: row for row in ROWS}
    assert list(dataset("sums/small", data_dir=tmp_path / name)) == [row["instance_id"] for row in ROWS]


def test_a_folder_with_nothing_in_it(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing of sums/small in .*: put its files there"):
        dataset("sums/small", data_dir=tmp_path)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("x.parquet", b"PAR1 nonsense", "does not hold rows"),
        ("x.json", b'{"instance_id": 1}', "no list of objects"),
        ("x.jsonl", b"{]", "does not hold rows"),
        ("x.jsonl", b"\xff\n", "does not hold rows"),
        ("x.jsonl", b'{"id": "a"}', "has no column instance_id"),
    ],
)
def test_files_that_hold_something_else(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(TaskError, match=said):
        list(dataset("sums/small", data_dir=tmp_path))


def test_a_parquet_file_of_something_else(tmp_path, parquet):
    (tmp_path / "x.parquet").write_bytes(parquet([{"id": "a"}]))
    with pytest.raises(TaskError, match="has no column instance_id"):
        list(dataset("sums/small", data_dir=tmp_path))


def test_a_later_line_may_be_broken(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"instance_id": "a"}\n{"instance_id": \n')
    with pytest.raises(TaskError, match="does not hold rows"):
        list(dataset("sums/small", data_dir=tmp_path))


def test_files_of_a_split():
    names = [
        "data/test-0.parquet",
        "test.jsonl",
        "test/a.parquet",
        "latest.parquet",
        "tests.json",
        "x/test_b.json",
    ]
    assert files_of(names, "test") == ["data/test-0.parquet", "test/a.parquet"]
    assert files_of(names[1:2] + names[3:], "test") == ["test.jsonl"]
    assert files_of(names[3:], "test") == ["x/test_b.json"]
