// The overview of a leaderboard's site: rows that fit the filters, which the address keeps. All pages: the theme.

import { startTheme, toggleTheme } from "./theme.js";

startTheme();
document.getElementById("theme").addEventListener("click", toggleTheme);

const filters = document.getElementById("filters");

/** Whether a row fits what is asked for. A cost that nobody knows fits no limit. */
function fits(row, wanted) {
  const { agent, model, cost } = row.dataset;
  const most = parseFloat(wanted.cost);
  return (
    (!wanted.agent || agent === wanted.agent) &&
    (!wanted.model || model === wanted.model) &&
    (Number.isNaN(most) || (cost !== "" && parseFloat(cost) <= most))
  );
}

function filter() {
  const wanted = Object.fromEntries(new FormData(filters));
  let shown = 0;
  for (const board of document.querySelectorAll(".board")) {
    const here = !wanted.benchmark || board.dataset.benchmark === wanted.benchmark;
    let rows = 0;
    for (const row of board.querySelectorAll(".leaderboard tbody tr")) {
      row.hidden = !fits(row, wanted);
      rows += !row.hidden;
    }
    board.hidden = !here || !rows;
    shown += board.hidden ? 0 : rows;
  }
  document.getElementById("count").textContent = `${shown} ${shown === 1 ? "run" : "runs"}`;
  const kept = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value));
  history.replaceState(null, "", kept.size ? `#${kept}` : location.pathname + location.search);
}

if (filters) {
  for (const [name, value] of new URLSearchParams(location.hash.slice(1)))
    if (filters.elements[name]) filters.elements[name].value = value;
  filters.hidden = false;
  filters.addEventListener("input", filter);
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("reset", () => setTimeout(filter));
  filter();
}
