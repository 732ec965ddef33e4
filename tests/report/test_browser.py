"""Reports in a real browser: keys, filters, links, themes, a phone, hostile content, and size."""

import random
import time
from pathlib import Path

import pytest

from debug_gym.episode import Observation, Step, ToolCall
from debug_gym.report.load import load
from debug_gym.report.page import write
from debug_gym.report.quality import qualities
from debug_gym.store.validations import ValidatedTask, Validations

CHROMIUM = Path("/usr/bin/chromium")
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
CONTRAST = Path(__file__).with_name("contrast.js").read_text()
"""Gives the texts of a page that are hard to read: contrast below WCAG's 4.5 to 1."""


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
def open_page(browser):
    """``open_page(file, "#/...")``: a report in a tab of its own, which must log nothing."""
    logged, contexts = [], []

    def open_(file, address="#/", **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: logged.append(message.text))
        page.on("pageerror", lambda error: logged.append(str(error)))
        page.on("request", lambda request: logged.append(request.url) if request.url[:5] != "file:" else None)
        page.goto(f"file://{file}{address}")
        page.wait_for_selector("#main[aria-busy=false]")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert logged == []


@pytest.fixture(scope="module")
def report(tmp_path_factory, store_run_in, story):
    """The page of two runs of three tasks, and of one of another benchmark."""
    folder = tmp_path_factory.mktemp("runs")
    store_run_in(folder, "good", {"alpha": "11", "beta": "1c", "gamma": "00"}, steps=story)
    store_run_in(folder, "weak", {"alpha": "1!", "beta": "0.", "gamma": "h-"}, steps=story[:4])
    store_run_in(folder, "gold", {"alpha": "1", "beta": "1", "gamma": "u"}, agent="oracle")
    store_run_in(folder, "else", {"delta": "1"}, benchmark="other")
    return made(folder)


def made(folder):
    """The report of the runs in a folder."""
    write(load([folder]), folder / "report.html")
    return folder / "report.html"


def test_the_quality_of_a_benchmark_is_a_page(open_page, tmp_path, store_run_in):
    store_run_in(tmp_path, "repair", {"alpha": "1", "beta": "0"}, agent="repair")
    found = (
        ValidatedTask(task="alpha", package="shop"),
        ValidatedTask(task="beta", problems=("It <b>leaks</b>.",)),
    )
    record = Validations(benchmark="demo", benchmark_version="1", tasks=found)
    entries = load([tmp_path])
    write(entries, tmp_path / "report.html", qualities([record], entries))
    page = open_page(tmp_path / "report.html")
    assert not page.locator("#quality-0").is_visible()
    page.get_by_role("link", name="demo").click()
    assert page.locator("#quality-0 h1").inner_text() == "Quality of demo"
    assert not page.locator("#overview").is_visible()
    assert "It <b>leaks</b>." in page.locator("#quality-0").inner_text()
    assert page.evaluate(CONTRAST) == []
    page.keyboard.press("u")
    page.wait_for_selector("#overview:visible")
    assert not page.locator("#quality-0").is_visible()


def tasks(page):
    return page.locator(".matrix tbody tr:visible th").all_inner_texts()


def current(page):
    """The tool of the current step, as the list at the left has it."""
    return page.locator(".rail a[aria-current] b").all_inner_texts()


def test_filters_of_the_matrix(open_page, report):
    page = open_page(report)
    assert tasks(page) == ["alpha", "beta", "gamma", "delta"]
    page.keyboard.press("/")
    page.keyboard.type("ET")
    assert tasks(page) == ["beta", "delta"]
    assert page.locator(".find output").first.inner_text() == "1 of 3 tasks"
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    choice = page.get_by_label("Which tasks of demo to show")
    for name, left in (
        ("resolved by none", ["gamma"]),
        ("resolved by all", ["alpha"]),
        ("with cheating", ["beta"]),
        ("forging not bounded", ["gamma"]),
        ("with errors", ["alpha"]),
        ("unfinished", ["beta", "gamma"]),
    ):
        choice.select_option(name)
        assert tasks(page) == [*left, "delta"]


def test_from_the_matrix_to_an_episode_and_back_by_keyboard(open_page, report):
    page = open_page(report)
    for key in ("j", "j", "ArrowRight"):
        page.keyboard.press(key)
    focused = "document.activeElement.getAttribute('href')"
    assert page.evaluate(focused) == "#/good/beta/1"
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name="beta").wait_for()
    assert page.title() == "beta · good · debug-gym report"
    page.keyboard.press("u")
    page.locator("a[href='#/good/beta/1']:focus").wait_for()
    page.keyboard.press("k")
    assert page.evaluate(focused) == "#/good/alpha/1"


def test_from_step_to_step(open_page, report):
    page = open_page(report, "#/good/alpha/0")
    page.locator(".step").first.wait_for()
    for key in "jjj":
        page.keyboard.press(key)
    assert current(page) == ["eval"]
    assert page.url.endswith("#/good/alpha/0/3")
    page.keyboard.press("ArrowLeft")
    assert current(page) == ["view"]
    page.keyboard.press("Shift+G")
    assert page.evaluate("document.activeElement.id") == "verdict"
    page.keyboard.press("g")
    assert current(page) == ["listdir"]
    page.locator(".timeline a").nth(4).click()
    page.locator("#step-5:focus").wait_for()
    page.keyboard.press("]")
    page.wait_for_url("**#/good/alpha/1")


def test_a_link_leads_to_a_step(open_page, report):
    page = open_page(report, "#/good/alpha/0/8")
    page.locator("#step-8:focus").wait_for()
    assert current(page) == ["eval"]
    box = page.locator("#step-8").bounding_box()
    assert 0 < box["y"] < 900
    page.reload()
    page.locator("#step-8:focus").wait_for()


@pytest.mark.parametrize(
    "address", ["#/nobody", "#/__proto__", "#/good/nothing/0", "#/good/alpha/7", "#/good/alpha/0/99", "#/%"]
)
def test_links_to_nowhere_are_no_errors(open_page, report, address):
    page = open_page(report, address)
    assert page.locator("main").inner_text().strip()


def test_the_search_in_the_steps(open_page, report):
    page = open_page(report, "#/good/alpha/0")
    page.keyboard.press("/")
    page.keyboard.type("A.PY")
    assert page.locator(".find output:visible").inner_text() == "6 of 9 steps"
    assert not page.locator("#step-6").is_visible()
    page.keyboard.press("Escape")
    visited = []
    for _ in range(6):
        page.keyboard.press("j")
        visited += current(page)
    assert visited == ["listdir", "view", "eval", "pdb", "rewrite", "eval"]


def test_an_episode_is_shown_as_what_it_was(open_page, report):
    page = open_page(report, "#/good/beta/1")
    assert page.locator("#step-1 .thought").inner_text() == "Let me look."
    assert page.locator("#step-2 .t-keyword").all_inner_texts() == ["def", "return"]
    strings = [text.strip() for text in page.locator("#step-2 .t-string").all_inner_texts()]
    assert strings == ["'''Not \"if", "for\" but one.'''", 'f"{a}"']
    assert page.locator("#step-2 .row").first.inner_text().split("\n")[0].startswith("●")
    assert page.locator("#step-4 .prompt code").all_inner_texts() == ["b a.py:2", "c ;; p a, b", "x = 1"]
    assert "breakpoint 1 a.py:2 in add" in page.locator("#step-4 .stop .path").inner_text()
    assert page.locator("#step-4 .current code").inner_text().strip() == "return a - b"
    assert page.locator("#step-4 .row .number").all_inner_texts() == ["1", "2", "3", "4"]
    assert page.locator("#step-4 .t-keyword").all_inner_texts() == ["def", "return"]
    assert page.locator("#step-5 .removed code").inner_text().strip() == "return a - b"
    assert page.locator("#step-5 .added code").inner_text().strip() == "return a + b"
    assert "refused" in page.locator("#step-7").inner_text()
    assert "test_a.py::test_two" in page.locator("#step-8 .turned.good").inner_text()
    verdict = page.locator("#verdict").inner_text()
    for words in (
        "not resolved",
        "test_one passes in a control too",
        "it decides how tests run",
        "3 negative controls",
    ):
        assert words in verdict
    assert "$1.0" in page.locator(".facts").inner_text()


def test_a_verdict_that_differs_from_the_harness_is_told(open_page, report):
    page = open_page(report, "#/weak/gamma/0")
    assert page.locator("#verdict .warning").inner_text() == "The verdicts differ. swebench says: resolved"
    page = open_page(report, "#/good/alpha/0")
    assert page.locator("#verdict .quiet", has_text="swebench").inner_text() == "swebench says: resolved"
    assert page.locator("#verdict .warning").count() == 0
    page = open_page(report)
    assert "1 verdict differs from the harness's" in page.locator("#main").inner_text()
    page.get_by_label("Which tasks of demo to show").select_option("verdict differs from the harness's")
    assert page.locator("tbody th[scope=row]:visible", has_text="gamma").count() == 1
    assert page.locator("tbody th[scope=row]:visible", has_text="alpha").count() == 0


def test_replies_without_a_step_stand_where_they_came(open_page, report):
    page = open_page(report, "#/good/beta/1")
    page.locator(".step").first.wait_for()
    cards = page.locator(".cards > article").all()
    order = [card.get_attribute("id") or card.locator("header").inner_text() for card in cards]
    silent = "reply without a call that was played"
    assert order[0] == "step-1"
    assert [title.split("\n")[0] for title in order[1:3]] == [silent, silent]
    assert order[3] == "step-2"
    assert order[-2].startswith(silent) and order[-1] == "verdict"
    assert "I wonder." in cards[1].inner_text() and "There was no tool call." in cards[1].inner_text()
    assert 'view {"path":' in cards[2].inner_text()
    assert "I give up." in cards[-2].inner_text()


def test_a_tool_has_one_colour_in_figures_and_episodes(open_page, report):
    page = open_page(report)
    swatch = page.locator("figure:has-text('Tool calls') .legend li", has_text="rewrite").locator("i")
    figure = swatch.evaluate("e => getComputedStyle(e).backgroundColor")
    page.goto(page.url.split("#")[0] + "#/good/beta/1/5")
    tool = page.locator("#step-5 .tool")
    tool.wait_for()
    assert tool.evaluate("e => getComputedStyle(e).color") == figure


def test_the_help_lists_the_keys(open_page, report):
    page = open_page(report, "#/good/alpha/0")
    page.keyboard.press("?")
    assert "next step" in page.get_by_role("dialog").inner_text()
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()
    assert page.url.endswith("#/good/alpha/0")


def test_the_run_with_its_configuration(open_page, report):
    page = open_page(report, "#/weak")
    page.get_by_text("Configuration and versions").click()
    assert "benchmark version" in page.locator(".config").inner_text()
    page.keyboard.press("/")
    page.keyboard.type("sandbox died")
    assert tasks(page) == ["alpha"]


def test_light_and_dark(open_page, report):
    page = open_page(report, color_scheme="dark")
    light = "(() => { const c = document.createElement('canvas').getContext('2d'); "
    light += "c.fillStyle = getComputedStyle(document.body).backgroundColor; c.fillRect(0, 0, 1, 1); "
    light += "return c.getImageData(0, 0, 1, 1).data[0] > 128 })()"
    assert not page.evaluate(light)
    page.keyboard.press("t")
    assert page.evaluate(light)
    page.reload()
    assert page.evaluate(light)  # the choice is kept
    page.get_by_label("Change between light and dark").click()
    assert not page.evaluate(light)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ["#/", "#/good", "#/good/beta/1"])
def test_everything_can_be_read_and_has_a_name(open_page, report, address, scheme):
    page = open_page(report, address, color_scheme=scheme)
    assert page.evaluate(CONTRAST) == []
    for control in page.locator("a:visible, button:visible, input:visible, select:visible").all():
        assert control.get_attribute("aria-label") or control.inner_text().strip()


@pytest.mark.parametrize("address", ["#/", "#/good", "#/good/beta/1"])
def test_nothing_sticks_out_on_a_phone(open_page, report, address):
    page = open_page(report, address, viewport={"width": 360, "height": 740}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_hostile_content_is_text(open_page, store_run, story):
    call = ToolCall(name=HOSTILE, arguments={HOSTILE: HOSTILE, "path": HOSTILE, "constructor": 1})
    strange = [
        Step(
            index=0,
            call=ToolCall(name=name, arguments={"tests": 1, "points": "x", "path": None, "command": ["ls"]}),
            observation=Observation(text="?", data={"diff": 5, "outcomes": [1], "stop": "here"}),
            reward=0.0,
            terminated=False,
            truncated=False,
            seconds=0.0,
            usage={"output_tokens": 5},
        )
        for name in ("__defineGetter__", "constructor", "eval", "trace", "pdb", "view", "rewrite", "")
    ]
    hostile = Step(
        index=0,
        call=call,
        observation=Observation(
            text=HOSTILE, data={"diff": f"--- a/x\n+++ b/{HOSTILE}\n@@ -0,0 +1 @@\n+{HOSTILE}\n"}
        ),
        reward=0.0,
        terminated=False,
        truncated=False,
        seconds=0.1,
        thought=HOSTILE,
    )
    folder = store_run(
        "run", {"a": "c"}, steps=[hostile, *strange, *story], model=HOSTILE, agent=HOSTILE, benchmark=HOSTILE
    )
    page = open_page(made(folder))
    page.locator("a.mark").first.click()
    page.locator(".step").first.wait_for()
    assert page.locator(".step .thought").first.inner_text() == HOSTILE
    assert page.locator("img").count() == 0
    assert page.locator(".step").count() == 18
    page.goto(page.url.split("#")[0] + "#/run")
    assert "owned" not in page.title()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_report_of_500_tasks_and_50_steps_opens_fast(open_page, store_run, story):
    chance = random.Random(0)  # its numbers compress no better than what programs write

    def long(index):
        lines = "".join(f"    {number}\tvalue = compute({chance.random()})\n" for number in range(60))
        shown = story[index % len(story)]
        observation = Observation(text=shown.observation.text + lines)
        return shown.model_copy(update={"index": index, "observation": observation})

    steps = [long(index) for index in range(50)]
    folder = store_run("big", {f"task-{number:03}": "10"[number % 2] for number in range(500)}, steps=steps)
    file = made(folder)
    page = open_page(file)
    timing = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    opened = page.evaluate(timing) / 1000
    assert len(tasks(page)) == 500
    began = time.monotonic()
    page.evaluate("location.hash = '#/big/task-250/0/40'")
    page.locator("#step-40:focus").wait_for()
    shown = time.monotonic() - began
    print(
        f"{file.stat().st_size / 1e6:.1f} MB, page ready after {opened:.2f} s, an episode after {shown:.2f} s"
    )
    assert opened < 30  # about one second on a machine with nothing else to do
    assert shown < 30
