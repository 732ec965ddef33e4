import pytest

from caption_reel import Sheet, convert, convert_all


def ends(text):
    return [line[17:] for line in text.splitlines() if "-->" in line]


def begins(text):
    return [line[:12] for line in text.splitlines() if "-->" in line]


def test_the_same_sheet_at_another_rate():
    lines = ["00:00:00:06 00:00:00:18 x"]
    assert ends(convert(Sheet("a", lines, 24))) == ["00:00:00,750"]
    assert ends(convert(Sheet("b", lines, 30))) == ["00:00:00,600"]


def test_three_rates_one_after_another():
    lines = ["01:00:00:10 01:00:01:00 x"]
    reels = {rate: convert(Sheet(str(rate), lines, rate)) for rate in (50, 25, 20)}
    assert begins(reels[20]) == ["01:00:00,500"]


def test_back_to_the_first_rate():
    lines = ["00:02:00:05 00:02:01:00 x"]
    convert(Sheet("a", lines, 25))
    assert begins(convert(Sheet("b", lines, 10))) == ["00:02:00,500"]
    assert begins(convert(Sheet("c", lines, 25))) == ["00:02:00,200"]


def test_an_end_that_another_reel_has_too():
    convert(Sheet("a", ["00:00:01:00 00:00:05:15 x"], 60))
    assert ends(convert(Sheet("b", ["00:00:02:00 00:00:05:15 y"], 24))) == ["00:00:05,625"]


def test_reels_that_begin_later():
    first = Sheet("a", ["00:59:59:20 01:00:02:00 x"], 25, origin="00:59:50:20")
    second = Sheet("b", ["01:00:02:00 01:00:03:00 y"], 30, origin="00:59:50:20")
    assert begins(convert(first)) == ["00:00:09,000"]
    assert begins(convert(second)) == ["00:00:11,333"]


def test_drop_codes_of_two_rates():
    lines = ["00:02:00:04 00:02:01:00 x"]
    assert begins(convert(Sheet("a", lines, 30, "drop"))) == ["00:02:00,000"]
    assert begins(convert(Sheet("b", lines, 60, "drop"))) == ["00:02:00,000"]
    assert ends(convert(Sheet("c", lines, 50, "drop"))) == ["00:02:00,920"]


def test_a_frame_that_this_rate_does_not_have():
    lines = ["00:00:01:27 00:00:02:00 x"]
    assert begins(convert(Sheet("a", lines, 30))) == ["00:00:01,900"]
    with pytest.raises(ValueError, match="reel: frame 27 of a second that has 25"):
        convert(Sheet("reel", lines, 25))


def test_kinds_are_told_apart():
    lines = ["00:05:00:10 00:05:01:00 x"]
    done = convert_all([Sheet("a", lines, 30), Sheet("b", lines, 30, "drop")])
    assert (begins(done["a"]), begins(done["b"])) == (["00:05:00,333"], ["00:05:00,000"])


def test_the_same_reel_twice():
    sheet = Sheet("a", ["00:00:01:10 00:00:02:00 x"], 25)
    assert convert(sheet) == convert(sheet) == "1\n00:00:01,400 --> 00:00:02,000\nx"
