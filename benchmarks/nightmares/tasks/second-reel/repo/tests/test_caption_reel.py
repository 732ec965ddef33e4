import pytest

from caption_reel import Sheet, convert, convert_all
from caption_reel.clocks import Clock


def begins(text):
    return [line[:12] for line in text.splitlines() if "-->" in line]


def test_a_sheet():
    sheet = Sheet("reel-1", ["00:00:01:12 00:00:03:00 Good evening.| Sit down.", "", "00:00:00:05 00:00:01:00 (bell)"])
    assert convert(sheet).splitlines() == [
        "1",
        "00:00:00,200 --> 00:00:01,000",
        "(bell)",
        "",
        "2",
        "00:00:01,480 --> 00:00:03,000",
        "Good evening.",
        "Sit down.",
    ]


@pytest.mark.parametrize(
    ("rate", "code", "begin"),
    [
        (24, "00:00:10:12", "00:00:10,500"),
        (25, "00:00:11:12", "00:00:11,480"),
        (30, "00:00:12:12", "00:00:12,400"),
    ],
)
def test_rates(rate, code, begin):
    assert begins(convert(Sheet("reel", [code + " 00:00:13:00 Now."], rate))) == [begin]


def test_a_reel_that_begins_later():
    sheet = Sheet("reel", ["10:00:02:00 10:00:03:00 Now."], origin="10:00:00:00")
    assert begins(convert(sheet)) == ["00:00:02,000"]


def test_numbers_that_are_left_out():
    sheet = Sheet("reel", ["00:01:00;02 00:01:01;00 Now.", "00:10:00;00 00:10:01;00 Then."], 30, "drop")
    assert begins(convert(sheet)) == ["00:01:00,000", "00:09:59,400"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("00:00:01:25 00:00:02:00 x", "reel: frame 25 of a second that has 25"),
        ("00:00:01 00:00:02:00 x", "reel: not a time code"),
        ("00:00:01:00", "reel: not a cue"),
        ("00:00:02:00 00:00:01:00 x", "ends before it begins"),
    ],
)
def test_what_is_wrong_is_said(line, message):
    with pytest.raises(ValueError, match=message):
        convert(Sheet("reel", [line]))


def test_clocks_there_are_not():
    with pytest.raises(ValueError, match="there is no clock 'sun'"):
        Clock("sun", 25)


def test_reels_of_one_film():
    lines = ["00:00:01:00 00:00:02:00 One."], ["00:00:01:00 00:00:02:12 Two."]
    done = convert_all([Sheet("a", lines[0]), Sheet("b", lines[1])])
    assert begins(done["a"]) == begins(done["b"]) == ["00:00:01,000"]


def test_reels_of_two_films():
    lines = ["00:00:20:12 00:00:22:00 Now."]
    done = convert_all([Sheet("first", lines, 25), Sheet("second", lines, 24)])
    assert begins(done["second"]) == ["00:00:20,500"]
