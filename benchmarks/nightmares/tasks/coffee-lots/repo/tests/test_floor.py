import pytest

from cherry_floor import BadReading, Floor, Reading, parse_line

FIRST = """
# first table
guji-4     aroma   88     # jasmine
guji-4     body    83
huila-1    aroma   84.5
sidra-2    aroma   84.5
sidra-2    body    84.5
"""

TABLES = [
    """
    # first table, Tuesday
    antigua-6   aroma     89.5
    nyeri-9     finish    90
    yirga-3     finish    89
    huila-1     body      91
    """,
    """
    # optical sorter, and what was left of the first table
    guji-4      colour    78.5
    kona-7      colour    nan
    yirga-3     aroma     89.5
    sidra-2     finish    79.5
    tarrazu-5   body      81.5
    """,
    """
    # second table
    mbeya-8     aroma     83.5
    antigua-6   body      86
    nyeri-9     body      81.5
    huila-1     aroma     85
    """,
    """
    # second table, Wednesday
    tarrazu-5   finish    81.5
    mbeya-8     body      89.5
    sidra-2     body      90
    guji-4      finish    78.5
    """,
]


@pytest.fixture
def floor():
    floor = Floor()
    assert floor.hand_in(FIRST) == []
    return floor


def test_lines():
    assert parse_line("guji-4 aroma 86.5") == Reading("guji-4", "aroma", 86.5)
    for line in ("guji-4 aroma", "guji-4 aroma good", "guji-4 aroma -1", "guji-4 aroma 100.5"):
        with pytest.raises(BadReading):
            parse_line(line)


def test_best_first(floor):
    assert floor.offered() == ["guji-4", "huila-1", "sidra-2"]
    assert floor.offered(least=85) == ["guji-4"]
    assert [floor.place_of(name) for name in ("guji-4", "sidra-2", "kona-7")] == [1, 3, None]


def test_refused_lines_change_nothing(floor):
    assert floor.hand_in("guji-4 body many\nkona-7 aroma 101\nsidra-2 body") == [
        "guji-4 body many",
        "kona-7 aroma 101",
        "sidra-2 body",
    ]
    assert floor.score_of("guji-4") == 85.5
    assert floor.score_of("kona-7") is None


def test_later_readings_move_a_lot(floor):
    floor.hand_in("sidra-2 aroma 96\nguji-4 body 80")
    assert floor.offered() == ["sidra-2", "huila-1", "guji-4"]
    assert floor.score_of("sidra-2") == 90.2


def test_selling(floor):
    assert floor.sell("Ikeda", least=85) == "guji-4"
    assert floor.sell("Ikeda", least=85) is None
    floor.withdraw("huila-1")
    floor.hand_in("huila-1 aroma 99\nguji-4 aroma 99")
    assert floor.offered() == ["sidra-2"]
    assert floor.bought_by("Ikeda") == ["guji-4"]


def test_all_lots_of_the_two_days_are_offered():
    floor = Floor()
    for sheet in TABLES:
        floor.hand_in(sheet)
    assert floor.place_of("yirga-3") == 1
    assert floor.offered() == [
        "yirga-3",
        "huila-1",
        "antigua-6",
        "mbeya-8",
        "nyeri-9",
        "sidra-2",
        "tarrazu-5",
        "guji-4",
    ]


def test_catalogue(floor):
    assert floor.catalogue().splitlines() == [
        " 1. guji-4        reserve",
        " 2. huila-1       specialty",
        " 3. sidra-2       specialty",
    ]
    assert Floor().catalogue() == "nothing is offered"
