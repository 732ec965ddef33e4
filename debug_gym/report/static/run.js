// One run: what was asked for, and how each attempt ended.
import { runs } from "./data.js";
import { el, searchField, tableRow, wide } from "./dom.js";
import { attemptLink } from "./marks.js";
import { duration } from "./words.js";

const valueOf = (value) => (value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value));

/** Show a run; gives what the keys do in it. */
export function showRun(view, name) {
  const run = runs[name];
  if (!run) {
    view.replaceChildren(el("p", { class: "warning" }, "This report holds no such run."));
    return {};
  }
  const search = searchField("Find an attempt");
  const rows = run.attempts.map((attempt) =>
    el(
      "tr",
      {},
      el("td", {}, attemptLink(name, attempt)),
      el("th", { scope: "row" }, attempt.task),
      el("td", { class: "right" }, `#${attempt.attempt}`),
      el("td", { class: "right" }, attempt.steps === null ? "" : String(attempt.steps)),
      el("td", { class: "right" }, attempt.seconds === null ? "" : duration(attempt.seconds)),
      el("td", { class: "reason" }, attempt.reason),
    ),
  );
  search.addEventListener("input", () => {
    for (const row of rows)
      row.hidden = !row.textContent.toLowerCase().includes(search.value.trim().toLowerCase());
  });
  const heads = ["", "task", "attempt", "steps", "time", "reason"].map((title, place) =>
    el("th", { scope: "col", class: place > 1 && place < 5 && "right" }, title),
  );
  const about = { ...run.config, "benchmark version": run.version, ...run.versions, created: run.created };
  view.replaceChildren(
    el("h1", {}, run.label),
    run.reference && el("p", { class: "quiet" }, run.reference),
    el(
      "details",
      { class: "config" },
      el("summary", {}, "Configuration and versions"),
      el(
        "table",
        {},
        el(
          "tbody",
          {},
          Object.entries(about).map(([key, value]) => tableRow(key, el("code", {}, valueOf(value)))),
        ),
      ),
    ),
    el("div", { class: "find" }, el("h2", {}, "Attempts"), search),
    el("div", { class: "matrix" }, wide(el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows))),
  );
  scrollTo(0, 0);
  return { keys: { "/": ["find an attempt", () => search.focus()] } };
}
