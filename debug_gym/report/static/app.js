// What is shown follows the address: #/ the overview, #/run, #/run/task/attempt, #/run/task/attempt/step, and
// #/~quality/number for what was found out about a benchmark.
import { address, runs } from "./data.js";
import { byId, el } from "./dom.js";
import { showEpisode } from "./episode.js";
import { listen } from "./keys.js";
import { overviewKeys, showOverview } from "./overview.js";
import { showRun } from "./run.js";
import { startTheme, toggleTheme } from "./theme.js";

let shown = { path: "", page: {}, home: true };
let overviewTop = 0;

const parts = () =>
  location.hash
    .replace(/^#?\/?/, "")
    .split("/")
    .filter(Boolean)
    .map(decoded);

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // an address that somebody typed
  }
}

function trail(run, task, attempt) {
  const links = [];
  if (run) links.push(el("a", { href: address(run) }, runs[run]?.label ?? run));
  if (task) links.push(el("a", { href: address(run, task, attempt) }, `${task} #${attempt}`));
  byId("trail").replaceChildren(
    ...links.flatMap((link) => [el("span", { "aria-hidden": "true" }, "/"), link]),
  );
}

const QUALITY = "~quality";
const qualities = [...document.querySelectorAll(".quality")];

/** Show what was found out about a benchmark, and nothing else. */
function showQuality(number) {
  const section = qualities[Number(number)];
  qualities.forEach((other) => (other.hidden = other !== section));
  byId("overview").hidden = byId("view").hidden = true;
  const title = section?.querySelector("h1").textContent ?? "There is no such page";
  byId("trail").replaceChildren(el("span", { "aria-hidden": "true" }, "/"), el("span", {}, title));
  document.title = `${title} · debug-gym report`;
  shown = { path: location.hash, page: {}, home: false };
  byId("main").ariaBusy = "false";
  byId("main").focus({ preventScroll: true });
  scrollTo(0, 0);
}

async function route() {
  const [run, task, attempt = "0", step] = parts();
  if (run === QUALITY) {
    if (shown.home) overviewTop = scrollY;
    return showQuality(task);
  }
  qualities.forEach((section) => (section.hidden = true));
  const path = task ? address(run, task, attempt) : run ? address(run) : "";
  if (path && path === shown.path && step) return shown.page.select?.(Number(step) - 1);
  if (shown.home) overviewTop = scrollY;
  trail(run, task, attempt);
  byId("overview").hidden = Boolean(run);
  byId("view").hidden = !run;
  document.title = [task, run, "debug-gym report"].filter(Boolean).join(" · ");
  const last = shown.path;
  shown = { path, page: {}, home: !run };
  if (!run) {
    byId("main").ariaBusy = "false";
    scrollTo(0, overviewTop);
    const opened = byId("overview").querySelector(`.mark[href="${CSS.escape(last)}"]`);
    return opened?.focus({ preventScroll: true });
  }
  if (last !== path) byId("main").focus({ preventScroll: true });
  byId("main").ariaBusy = "true";
  const page = task ? await showEpisode(byId("view"), run, task, attempt, step) : showRun(byId("view"), run);
  if (shown.path !== path) return;
  shown.page = page;
  byId("main").ariaBusy = "false";
}

const home = () => (location.hash = "#/");
const always = {
  u: ["overview", home],
  Escape: ["overview", home],
  t: ["light or dark", toggleTheme],
};

startTheme();
showOverview();
listen(() => ({ ...(shown.home ? overviewKeys : shown.page.keys), ...always }));
byId("theme").addEventListener("click", toggleTheme);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address belongs to the report
  byId("main").focus();
});
addEventListener("hashchange", route);
route();
