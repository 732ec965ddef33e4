"""``debug-gym library``, as people type it."""

import json

import pytest
from typer.testing import CliRunner

from debug_gym.cli import app
from debug_gym.errors import ConfigError, LibraryError, UnknownNameError
from debug_gym.lora import ExpertLibrary


@pytest.fixture
def run():
    def run(*arguments, code=0):
        result = CliRunner().invoke(app, ["library", *map(str, arguments)], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result.stdout

    return run


def test_from_nothing_to_one_adapter(run, adapters, tmp_path):
    folder = tmp_path / "experts"
    assert run("add", folder, *adapters[:3]) == "added e0\nadded e1\nadded e2\n"
    run("add", folder, adapters[3], "--name", "dates", "--trained-on", "dates", "--description", "when")
    rows = [line.split("\t") for line in run("list", folder).splitlines()]
    assert [row[0] for row in rows] == ["dates", "e0", "e1", "e2"]
    assert rows[0][1] == "4" and "q_proj" in rows[0][2] and rows[0][3:] == ["dates", "", "when"]
    listed = json.loads(run("list", folder, "--json"))
    assert [row["expert"] for row in listed] == ["dates", "e0", "e1", "e2"]
    assert listed[0]["rank"] == 4 and listed[0]["trained on"] == "dates" and listed[0]["metrics"] == {}
    shown = json.loads(run("show", folder, "dates"))
    assert shown["card"]["trained_on"] == "dates" and shown["modules"] == 14
    assert run("merge", folder, "e0", "e1", "--into", "both", "--weights", "0.5,1", "--rank", 4)
    run("remove", folder, "e2")
    assert set(run("verify", folder).splitlines()) == {
        f"{name}\tok" for name in ("both", "dates", "e0", "e1")
    }
    out = run("fold", folder, tmp_path / "served", "--router", "uniform", "--rank", 8).strip()
    assert ExpertLibrary.open(tmp_path)["served"].config.r == 8 and out == str(tmp_path / "served")


def test_a_changed_file_fails_verification(run, adapters, tmp_path):
    folder = tmp_path / "experts"
    run("add", folder, adapters[0])
    (folder / "e0" / "adapter_config.json").write_text("{}")
    assert "checksum" in run("verify", folder, code=1)


def test_wrong_input_is_a_sentence(run, adapters, tmp_path):
    folder = tmp_path / "experts"
    run("add", folder, *adapters[:2])
    with pytest.raises(ConfigError, match="--name"):
        run("add", folder, *adapters[2:4], "--name", "x")
    with pytest.raises(ConfigError, match="numbers"):
        run("merge", folder, "e0", "e1", "--into", "x", "--weights", "a,b")
    with pytest.raises(ConfigError, match="1 numbers for 2"):
        run("merge", folder, "e0", "e1", "--into", "x", "--weights", "1")
    with pytest.raises(UnknownNameError, match="e7"):
        run("remove", folder, "e7")
    with pytest.raises(LibraryError, match="static"):
        run("fold", folder, tmp_path / "out", "--router", "arrow")
    with pytest.raises(LibraryError, match="no library"):
        run("list", tmp_path / "nowhere")
