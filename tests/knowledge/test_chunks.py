"""Chunks: nothing is lost, none is too large, and they begin where something begins."""

import pytest

from debug_gym.errors import ConfigError
from debug_gym.knowledge.chunks import chunks_of


def words(text):
    return len(text.split())


def test_files_that_people_wrote_are_read_and_no_others(repository):
    (repository / "linked.py").symlink_to(repository / "run.sh")
    (repository / "large.py").write_text("x = 1\n" * 100_000)
    assert [chunk.path for chunk in chunks_of(repository, 1000, words)] == [
        "README.md", "broken.py", "odd.py", "run.sh", "docs/stock.rst", "shop/cart.py",
    ]  # fmt: skip


@pytest.mark.parametrize("size", [10, 12, 30])
def test_all_lines_are_there_once_and_no_chunk_is_too_large(repository, size):
    chunks = [chunk for chunk in chunks_of(repository, size, words) if chunk.path == "shop/cart.py"]
    lines = (repository / "shop/cart.py").read_text().splitlines()
    assert all(words(chunk.text) <= size for chunk in chunks)
    for chunk in chunks:
        assert chunk.text == "\n".join(lines[chunk.start - 1 : chunk.end])
    covered = [number for chunk in chunks for number in range(chunk.start, chunk.end + 1)]
    assert covered == sorted(set(covered))
    assert {number for number, line in enumerate(lines, 1) if line.strip()} <= set(covered)


def test_chunks_begin_with_definitions_and_headings(repository):
    found = {chunk.text.split("\n")[0].strip() for chunk in chunks_of(repository, 12, words)}
    assert {"class Cart:", "def add(self, item):", "# Shop", "## Usage"} <= found


def test_a_line_that_is_too_long_loses_its_end(tmp_path):
    (tmp_path / "a.txt").write_text("w " * 50)
    (chunk,) = chunks_of(tmp_path, 10, words)
    assert words(chunk.text) == 10


def test_what_is_no_folder_is_said(tmp_path):
    with pytest.raises(ConfigError, match="no folder"):
        list(chunks_of(tmp_path / "nothing", 10, words))
