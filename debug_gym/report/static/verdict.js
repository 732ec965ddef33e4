// The end of an episode: what the judge found, and what counts.
import { el } from "./dom.js";
import { diffView, plain } from "./source.js";
import { verdictTable } from "./tests.js";
import { STATES, duration, plural } from "./words.js";

const listed = (title, items, kind = "") =>
  items.length > 0 &&
  el(
    "div",
    { class: `finding ${kind}` },
    el("b", {}, title),
    el(
      "ul",
      {},
      items.map((item) => el("li", {}, item)),
    ),
  );

function controls({ controls, resolved, odds }) {
  if (controls)
    return `${plural(controls, "negative control")} drawn; chance that blind forgery passes: at most ${odds.toPrecision(2)}`;
  return resolved ? "no negative control could be drawn: the task has no controls" : "";
}

/** What the benchmark's own harness says, beside the judge's word. */
function theirs({ resolved, harness }) {
  if (!harness) return null;
  const differs = harness.resolved !== resolved;
  const word = harness.resolved ? STATES.resolved.word : STATES.unresolved.word;
  const said = `${harness.name} says: ${word}${harness.reason && `; ${harness.reason}`}`;
  return el("p", { class: differs ? "warning" : "quiet" }, differs ? `The verdicts differ. ${said}` : said);
}

function judged(verdict) {
  return [
    verdict.reason && el("p", { class: "headline" }, verdict.reason),
    theirs(verdict),
    listed("Cheating", verdict.cheating, "bad"),
    verdict.resolved && listed("Doubts", verdict.doubts ?? []),
    listed("Changes that did not count", verdict.rejected),
    listed("Unstable tests that did not count", verdict.excluded),
    el("p", { class: "quiet" }, controls(verdict)),
    Object.keys(verdict.expected).length > 0 && verdictTable(verdict.expected, verdict.seen),
    verdict.output &&
      el(
        "details",
        {},
        el("summary", {}, "output of the judge's test run"),
        plain(verdict.output, { fold: 400 }),
      ),
  ];
}

/** The last card of an episode. */
export function verdictCard(episode) {
  const { state, end, damage } = episode;
  const { mark, word } = STATES[state];
  return el(
    "article",
    { class: `verdict ${state}`, id: "verdict", tabindex: "-1", "aria-label": "Verdict" },
    el(
      "header",
      {},
      el("b", {}, `${mark} ${word}`),
      end && el("span", { class: "quiet" }, `${end.ending} after ${duration(end.seconds)}`),
    ),
    damage && el("p", { class: "warning" }, damage),
    state === "unfinished" &&
      el("p", { class: "quiet" }, "This attempt was not over when the report was made."),
    end?.stop_reason && el("p", {}, `The agent gave up: ${end.stop_reason}`),
    end?.error && plain(end.error),
    end?.verdict && judged(end.verdict),
    end?.patch && [el("h3", {}, "The changes that counted"), diffView(end.patch)],
    end && listed("Changes that no text diff can show", end.omitted),
  );
}
