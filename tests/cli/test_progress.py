"""What a command says while it has nothing to show, where there is no terminal."""

import pytest

from debug_gym.cli.screens import progress


def test_what_is_being_done_is_said_before_it_is_done(capsys):
    with progress.announced("starting the sandbox"):
        assert capsys.readouterr() == ("", "starting the sandbox\n")


@pytest.mark.parametrize(("pause", "lines"), [(0.0, 5), (60.0, 2)])
def test_lines_come_at_intervals_and_at_the_end(capsys, monkeypatch, pause, lines):
    monkeypatch.setattr(progress, "PAUSE", pause)
    with progress.counted("validating nightmares", 4) as tell:
        for number in range(4):
            tell(f"task-{number} is sound")
    out, err = capsys.readouterr()
    told = err.splitlines()
    assert (out, len(told)) == ("", lines)
    assert told[0] == "validating nightmares: 0/4"
    assert told[-1] == "validating nightmares: 4/4: task-3 is sound"
    if not pause:
        assert told[1] == "validating nightmares: 1/4, about 0:00 left: task-0 is sound"
