"""The site of a leaderboard: what is written, and how it behaves in a browser."""

import sys
from pathlib import Path

import pytest

from debug_gym.cli import main
from debug_gym.errors import ConfigError
from debug_gym.report.site import write_site
from debug_gym.report.submissions import submissions
from debug_gym.store.bundles import pack
from debug_gym.store.records import Run

CHROMIUM = Path("/usr/bin/chromium")
CONTRAST = Path(__file__).with_name("contrast.js").read_text()
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">"
EASY = {f"t{number}": "1" for number in range(8)}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory, store_run_in, story):
    """The bundles of two agents and a reference at one benchmark, and of a hostile one at another."""
    folder = tmp_path_factory.mktemp("bundles")
    runs = [
        store_run_in(folder, "strong", EASY, model="big", usage={"dollars": 0.5}, steps=story),
        store_run_in(folder, "weak", dict.fromkeys(EASY, "0"), model="small", usage={"dollars": 0.01}),
        store_run_in(folder, "gold", EASY, agent="oracle"),
        store_run_in(folder, "odd", {f"a/{HOSTILE}": "1"}, agent=HOSTILE, benchmark="other"),
    ]
    for run in runs:
        pack(Run.open(run), folder / "packs" / f"{run.name}.zip")
    return folder / "packs"


@pytest.fixture(scope="module")
def site(bundles):
    folder = bundles.parent / "site"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["debug-gym", "leaderboard", str(bundles), "--site", str(folder)])
        main_ends_well()
    return folder


def main_ends_well():
    try:
        main()
    except SystemExit as ended:
        assert not ended.code


def test_bundles_are_handed_on_as_they_are(site, bundles):
    assert (site / "bundles" / "weak.zip").read_bytes() == (bundles / "weak.zip").read_bytes()
    assert sorted(path.name for path in (site / "tasks" / "demo-1").iterdir()) == [
        f"t{n}.html" for n in range(8)
    ]


def test_equal_bundles_give_equal_overviews(site, bundles, tmp_path):
    before = (site / "index.html").read_bytes()
    with submissions([bundles]) as found:
        write_site(found, site)
        write_site(found, tmp_path / "new")
    assert before == (site / "index.html").read_bytes() == (tmp_path / "new" / "index.html").read_bytes()


def test_what_is_no_site_is_not_replaced(bundles, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with submissions([bundles / "weak.zip"]) as found, pytest.raises(ConfigError, match="choose another"):
        write_site(found, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_what_is_no_bundle_or_was_altered_is_refused(bundles, tmp_path):
    with pytest.raises(ConfigError, match="no bundle in or below"), submissions([tmp_path]):
        pass
    data = bytearray((bundles / "weak.zip").read_bytes())
    data[data.index(b"results.jsonl") + 40] ^= 0xFF
    (tmp_path / "weak.zip").write_bytes(data)
    with pytest.raises(ConfigError, match=r"was altered: results\.jsonl"), submissions([tmp_path]):
        pass


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def open_page(browser, site):
    """``open_page("index.html", **options)``: a page of the site, which must log nothing and fetch nothing."""
    logged, contexts = [], []

    def open_(file, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: logged.append(message.text))
        page.on("pageerror", lambda error: logged.append(str(error)))
        page.on("request", lambda request: logged.append(request.url) if request.url[:5] != "file:" else None)
        page.goto(f"file://{site}/{file}")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert logged == []


def shown(page):
    return page.locator(".leaderboard tbody tr:visible th a").all_inner_texts()


def test_filters(open_page):
    page = open_page("index.html")
    everything = shown(page)
    assert len(everything) == 4
    page.select_option("select[name=model]", "small")
    assert shown(page) == ["llm · small"]
    page.reload()  # the address keeps them
    assert shown(page) == ["llm · small"]
    page.click("button[type=reset]")
    page.get_by_text("4 runs", exact=True).wait_for()
    page.fill("input[name=cost]", "0.1")
    assert "llm · big" not in shown(page) and len(shown(page)) == 3
    page.fill("input[name=cost]", "")
    page.select_option("select[name=benchmark]", "other")
    assert shown(page) == [HOSTILE]


def test_pairs_history_and_tasks(open_page):
    page = open_page("index.html")
    assert page.locator(".versus .better").inner_text().startswith("+100.0 [")
    assert page.locator(".history circle").count() == 2  # references have no place in it
    page.click(".board >> nth=0 >> .tasks summary")
    page.click("text=t3")
    assert "resolved by 1 of 2 competing runs" in page.locator("main").inner_text()
    assert "Something is wrong." in page.locator(".problem").inner_text()
    page.click(".attempts a >> nth=0")
    page.wait_for_selector("#main[aria-busy=false]")
    assert page.locator(".step").count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_and_both_themes(open_page, site, scheme):
    for file in ("index.html", "tasks/demo-1/t0.html"):
        page = open_page(file, viewport={"width": 360, "height": 700}, color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.evaluate(CONTRAST) == []
        for cell in page.locator(".attempts .reason, .versus th:visible").all():
            assert cell.bounding_box()["width"] > 100  # words, not letters below each other
        before = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.click("#theme")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_nothing_of_a_bundle_is_markup(open_page, site):
    (task,) = (site / "tasks" / "other-1").iterdir()
    for file in ("index.html", f"tasks/other-1/{task.name.replace('%', '%25')}"):
        page = open_page(file)
        assert page.title() != "owned"
        assert page.locator("img").count() == 0
