// One episode: facts, a time line, and all steps to read from top to bottom.
import { address, attemptsAt, boards, findAttempt, loadEpisode } from "./data.js";
import { el } from "./dom.js";
import { attemptLink } from "./marks.js";
import { Reader } from "./reader.js";
import { plain } from "./source.js";
import { replyCard, stepCard, summary } from "./steps.js";
import { share } from "./tests.js";
import { verdictCard } from "./verdict.js";
import { STATES, dollars, duration, percent, short, total } from "./words.js";

function facts({ state, result, steps }) {
  const sum = (key) => result?.usage[key] ?? total(steps, key); // what a result says includes calls without a step
  const seconds = steps.reduce((all, step) => all + step.seconds, 0);
  const pairs = [
    ["steps", steps.length],
    result && ["wall time", duration(result.seconds)],
    ["tools", duration(seconds)],
    sum("seconds") && ["model", duration(sum("seconds"))],
    sum("output_tokens") !== undefined && [
      "tokens",
      `${short(sum("input_tokens") ?? 0)} → ${short(sum("output_tokens"))}`,
    ],
    sum("dollars") !== undefined && ["cost", dollars(sum("dollars"))],
    result && state !== "error" && ["fail-to-pass", percent(result.fail_to_pass)],
    result && state !== "error" && ["pass-to-pass", percent(result.pass_to_pass)],
    result && ["seed", result.seed],
    result?.unplayed > 0 && ["replies without a call", result.unplayed],
  ];
  return el(
    "dl",
    { class: "facts" },
    pairs
      .filter(Boolean)
      .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value)))),
  );
}

/** For each step the outcomes of the tests when they were last run before it. */
function outcomesBefore(steps) {
  let last = {};
  return steps.map((step) => {
    const before = last;
    if (step.data.outcomes && !step.arguments.tests?.length) last = step.data.outcomes;
    return before;
  });
}

/** A block for each step, as wide as it took long, above a bar that turns green with the tests. */
function timeLine(steps, links) {
  let tests;
  return el(
    "nav",
    { class: "timeline", "aria-label": "Time line" },
    steps.map((step, index) => {
      if (step.data.outcomes) tests = share(step.data.outcomes);
      const title = `${index + 1} ${step.tool}: ${summary(step).slice(0, 200)}${tests === undefined ? "" : ` · ${percent(tests)} of the tests pass`}`;
      const block = el("a", {
        href: links[index],
        class: `${step.kind}${step.error ? " failed" : ""}${tests === undefined ? "" : " tested"}`,
        title,
        "aria-label": title,
      });
      block.style.flexGrow = Math.sqrt(step.seconds + (step.usage.seconds ?? 0)).toFixed(3);
      block.style.setProperty("--share", percent(tests ?? 0));
      return block;
    }),
  );
}

function rail(steps, links) {
  const row = (step, index) =>
    el(
      "li",
      {},
      el(
        "a",
        { href: links[index], class: `${step.kind}${step.error ? " failed" : ""}` },
        el("span", { class: "count" }, String(index + 1)),
        el("b", {}, step.tool),
        el("span", { class: "summary" }, summary(step)),
        step.data.outcomes && el("small", {}, percent(share(step.data.outcomes))),
      ),
    );
  return el("ol", { class: "rail", "aria-label": "Steps" }, steps.map(row));
}

/** Links to the other attempts at the same task. */
function siblings(run, task, attempt) {
  const board = boards.find((candidate) => candidate.runs.includes(run));
  const all = attemptsAt(board, task).filter(([, other]) => other.episode !== null);
  return el(
    "nav",
    { class: "siblings", "aria-label": "All attempts at this task" },
    all.map(([name, other]) =>
      attemptLink(name, other, { current: name === run && other.attempt === attempt, label: true }),
    ),
  );
}

/** Show an episode; gives what the keys do in it. */
export async function showEpisode(view, run, task, attempt, step) {
  const known = findAttempt(run, task, attempt);
  if (!known) {
    view.replaceChildren(el("p", { class: "warning" }, "This report holds no such attempt."));
    return {};
  }
  const { mark, word } = STATES[known.state];
  const badge = el("span", { class: `badge ${known.state}` }, `${mark} ${word}`);
  const top = [
    el("h1", {}, task, " ", badge),
    el("p", { class: "quiet" }, `${run} · attempt ${known.attempt}`),
    siblings(run, task, known.attempt),
  ];
  if (known.episode === null) {
    view.replaceChildren(...top, el("p", {}, "This attempt was not begun."));
    return {};
  }
  const episode = await loadEpisode(known.episode);
  const { steps, problem } = episode;
  const home = address(run, task, attempt);
  const links = steps.map((_, index) => address(run, task, attempt, index + 1));
  const before = outcomesBefore(steps);
  const cards = steps.map((each, index) => stepCard(each, index + 1, links[index], before[index]));
  cards.push(verdictCard(episode));
  const shown = cards.map((card, index) => [(steps[index] ?? episode).replies.map(replyCard), card]);
  const line = timeLine(steps, links);
  const list = rail(steps, links);
  const told =
    problem &&
    el(
      "details",
      { class: "problem", open: !step },
      el("summary", {}, "What the agent was told"),
      plain(problem, { fold: 60 }),
    );
  const story = el("div", { class: "story" }, list, el("div", { class: "cards" }, told, shown));
  const reader = new Reader({ steps, cards, line, list, links, home, story });
  view.replaceChildren(...top, facts(episode), el("div", { class: "tools" }, line, reader.find), story);
  if (step) reader.select(Number(step) - 1);
  else scrollTo(0, 0);
  return reader;
}
