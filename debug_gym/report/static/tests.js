// Tests and how they change from one run of them to the next.
import { el } from "./dom.js";
import { plural } from "./words.js";

const GOOD = new Set(["passed", "xfailed", "skipped"]);
export const passes = (outcome) => GOOD.has(outcome);

/** The share of the tests that pass, 0 to 1. */
export function share(outcomes) {
  const all = Object.values(outcomes);
  return all.filter(passes).length / Math.max(all.length, 1);
}

/** A square for each test; those that changed since the last run of the tests stand out and are named. */
export function testsView(outcomes, before = {}) {
  const changed = (test) => test in before && passes(before[test]) !== passes(outcomes[test]);
  const names = Object.keys(outcomes);
  const squares = names.map((test) =>
    el("i", {
      class: `${passes(outcomes[test]) ? "good" : "bad"}${changed(test) ? " changed" : ""}`,
      title: `${test}: ${outcomes[test]}`,
    }),
  );
  const turned = (good) => names.filter((test) => changed(test) && passes(outcomes[test]) === good);
  const list = (tests, title, kind) =>
    tests.length > 0 &&
    el(
      "div",
      { class: `turned ${kind}` },
      el("b", {}, title),
      el(
        "ul",
        {},
        tests.map((test) => el("li", {}, test)),
      ),
    );
  const passed = names.filter((test) => passes(outcomes[test])).length;
  return [
    el(
      "div",
      { class: "squares", role: "img", "aria-label": `${passed} of ${names.length} tests pass` },
      squares,
    ),
    list(turned(true), "turned green", "good"),
    list(turned(false), "turned red", "bad"),
  ];
}

/** What the judge demanded and saw, test by test, what went wrong first. */
export function verdictTable(expected, seen) {
  const wrong = (test) => seen[test] !== expected[test];
  const row = (test) =>
    el(
      "tr",
      { class: wrong(test) ? "bad" : "good" },
      el("td", {}, wrong(test) ? "✗" : "✓"),
      el("th", { scope: "row" }, test),
      el(
        "td",
        {},
        seen[test] ?? "not run",
        wrong(test) && expected[test] !== "passed" && ` (${expected[test]} is demanded)`,
      ),
    );
  const table = (tests) => el("table", { class: "tests" }, el("tbody", {}, tests.map(row)));
  const tests = Object.keys(expected);
  const bad = tests.filter(wrong),
    good = tests.filter((test) => !wrong(test));
  return [
    bad.length > 0 && table(bad),
    good.length > 0 &&
      el("details", {}, el("summary", {}, `${plural(good.length, "test")} as demanded`), table(good)),
  ];
}
