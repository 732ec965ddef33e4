// The matrix below each leaderboard: a row for each task, a column for each run, a mark for each attempt.
import { address, attemptsAt, boards, runs } from "./data.js";
import { el, searchField, wide } from "./dom.js";
import { attemptLink } from "./marks.js";
import { plural } from "./words.js";

const SHOWN = {
  "all tasks": () => true,
  "resolved by none": ({ won, judged }) => judged > 0 && won === 0,
  "resolved by some": ({ won, judged }) => won > 0 && won < judged,
  "resolved by all": ({ won, judged }) => judged > 0 && won === judged,
  "with cheating": ({ attempts }) => attempts.some(([, attempt]) => attempt.cheating),
  "forging not bounded": ({ attempts }) => attempts.some(([, attempt]) => attempt.unguarded),
  "verdict differs from the harness's": ({ attempts }) => attempts.some(([, attempt]) => attempt.disputed),
  "with errors": ({ attempts }) => attempts.some(([, attempt]) => attempt.state === "error"),
  unfinished: ({ attempts }) => attempts.some(([, attempt]) => attempt.state === "unfinished"),
};

/** All attempts at a task, and how many of the judged ones are resolved; references do not count. */
function describe(board, task) {
  const attempts = attemptsAt(board, task);
  const counted = attempts.filter(([run]) => !runs[run].reference);
  const judged = counted.filter(([, { state }]) => state === "resolved" || state === "unresolved");
  return {
    task,
    attempts,
    judged: judged.length,
    won: judged.filter(([, { state }]) => state === "resolved").length,
  };
}

function row(board, found) {
  const cells = board.runs.map((run) =>
    el(
      "td",
      {},
      found.attempts.filter(([name]) => name === run).map(([name, attempt]) => attemptLink(name, attempt)),
    ),
  );
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, found.task),
    cells,
    el("td", { class: "right quiet" }, found.judged ? `${found.won}/${found.judged}` : "–"),
  );
}

/** Fill the place of a board's matrix. */
function showMatrix(place, board) {
  const tasks = board.tasks.map((task) => describe(board, task));
  const rows = tasks.map((found) => row(board, found));
  const search = searchField(`Find a task of ${board.benchmark}`);
  const choice = el(
    "select",
    { "aria-label": `Which tasks of ${board.benchmark} to show` },
    Object.entries(SHOWN)
      .filter(([, fits]) => tasks.some(fits))
      .map(([name]) => el("option", {}, name)),
  );
  const count = el("output", { class: "quiet" });
  const filter = () => {
    const wanted = search.value.trim().toLowerCase();
    const fits = tasks.map(
      (found) => found.task.toLowerCase().includes(wanted) && SHOWN[choice.value](found),
    );
    rows.forEach((each, index) => (each.hidden = !fits[index]));
    const left = fits.filter(Boolean).length;
    count.textContent =
      left === tasks.length ? plural(left, "task") : `${left} of ${plural(tasks.length, "task")}`;
  };
  search.addEventListener("input", filter);
  choice.addEventListener("change", filter);
  filter();
  const head = el(
    "tr",
    {},
    el("th", { scope: "col" }, "task"),
    board.runs.map((run) =>
      el("th", { scope: "col" }, el("a", { href: address(run), title: runs[run].label }, run)),
    ),
    el("th", { scope: "col", class: "right" }, "resolved"),
  );
  place.replaceChildren(
    el("div", { class: "find" }, el("h2", {}, "Tasks"), search, choice, count),
    wide(el("thead", {}, head), el("tbody", {}, rows)),
  );
}

/** Move the focus among the marks of all matrices: by columns and by visible rows. */
function moveFocus(across, down) {
  const here = document.activeElement?.closest?.(".matrix td");
  const lines = [...document.querySelectorAll("#overview .matrix tbody tr:not([hidden])")];
  if (!here) return lines.flatMap((line) => [...line.querySelectorAll("a.mark")])[0]?.focus();
  if (across) {
    const marks = [...here.parentElement.querySelectorAll("a.mark")];
    return marks[marks.indexOf(document.activeElement) + across]?.focus();
  }
  const column = here.cellIndex;
  const inCell = [...here.children].indexOf(document.activeElement);
  for (let index = lines.indexOf(here.parentElement) + down; lines[index]; index += down) {
    const marks =
      lines[index].cells[Math.min(column, lines[index].cells.length - 1)].querySelectorAll("a.mark");
    if (marks.length) return marks[Math.min(inCell, marks.length - 1)].focus();
  }
}

/** What each key does in the overview. */
export const overviewKeys = {
  j: ["next task", () => moveFocus(0, 1)],
  k: ["previous task", () => moveFocus(0, -1)],
  ArrowDown: ["next task", () => moveFocus(0, 1)],
  ArrowUp: ["previous task", () => moveFocus(0, -1)],
  ArrowRight: ["next attempt", () => moveFocus(1, 0)],
  ArrowLeft: ["previous attempt", () => moveFocus(-1, 0)],
  "/": ["find a task", () => document.querySelector("#overview input[type=search]")?.focus()],
};

/** Fill all matrices. */
export function showOverview() {
  for (const place of document.querySelectorAll("#overview .matrix"))
    showMatrix(place, boards[Number(place.dataset.board)]);
}
