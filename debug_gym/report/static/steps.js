// One step of an episode as a card: the thought, the call, and what came back.
import { el } from "./dom.js";
import { code, debuggerView, diffView, plain } from "./source.js";
import { testsView } from "./tests.js";
import { duration, short } from "./words.js";

const PROMPTS = { __proto__: null, pdb: "(Pdb)", bash: "$" };

const inWords = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const joined = (...values) =>
  values
    .flat(Infinity)
    .filter((value) => value !== undefined && value !== null)
    .map(inWords)
    .join(" ");
const SUMMARIES = {
  __proto__: null,
  listdir: ({ path }) => joined(path ?? "."),
  eval: ({ tests }) => joined(tests) || "all tests",
  trace: ({ points, calls, assignments }) => joined(points, calls, assignments),
  grep: ({ pattern, path }) => joined(pattern, path),
};

function byDefault({ path, start, end, ...others }) {
  if (path === undefined) return joined(Object.values(others));
  return joined(path) + (start ? `:${start}${end && end !== start ? `–${end}` : ""}` : "");
}

/** The call in one line. What is in it may be of any kind: calls can be wrong. */
export function summary({ tool, arguments: given }) {
  return (SUMMARIES[tool] ?? byDefault)(given).replace(/\s*\n\s*/g, " ⏎ ");
}

/** The call as it was written, where neither its one line nor the answer says it all. */
function callView({ tool, arguments: given, data }) {
  if (PROMPTS[tool]) {
    const { command, ...rest } = given;
    const lines = joined(command)
      .split("\n")
      .map((line, index) =>
        el(
          "div",
          { class: "prompt" },
          el("span", {}, index && tool === "bash" ? ">" : PROMPTS[tool]),
          el("code", {}, line),
        ),
      );
    return [lines, extras(rest)];
  }
  return data.diff || tool === "view" || tool === "eval" ? null : extras(given);
}

function extras(given) {
  const shown = Object.entries(given).filter(
    ([, value]) => value !== null && !(Array.isArray(value) && !value.length),
  );
  if (!shown.length) return null;
  return el(
    "dl",
    { class: "arguments" },
    shown.map(([name, value]) => [
      el("dt", {}, name),
      el(
        "dd",
        {},
        typeof value === "string" && value.includes("\n") ? plain(value) : el("code", {}, inWords(value)),
      ),
    ]),
  );
}

const NUMBERED = /^(B>|  ) *(\d+)\t(.*)$/;

function fileView(text, path) {
  const [head, ...lines] = text.split("\n");
  const rows = lines
    .map((line) => NUMBERED.exec(line))
    .filter(Boolean)
    .map((found) => ({ number: Number(found[2]), text: found[3], mark: found[1] === "B>" ? "●" : "" }));
  const rest = lines.filter((line) => !NUMBERED.test(line));
  return [el("div", { class: "path" }, head), code(rows, path), rest.length > 0 && plain(rest.join("\n"))];
}

function changeView(text, data) {
  const remarks = text.split("\n").filter((line, place) => place === 0 || /^\[.*\]$/.test(line));
  const [head, ...rest] = remarks;
  return [
    diffView(data.diff),
    el("p", { class: "remark" }, head),
    rest.map((line) => el("p", { class: "remark bad" }, line.slice(1, -1))),
  ];
}

function evalView(text, data, before) {
  const [head, ...lines] = text.split("\n");
  const failures = lines.findIndex((line) => !/^(failed|error): /.test(line));
  const failed = lines.slice(0, failures < 0 ? lines.length : failures);
  const output = failures < 0 ? "" : lines.slice(failures).join("\n");
  return [
    el("p", { class: "headline" }, head),
    testsView(data.outcomes, before),
    failed.length > 0 && plain(failed.join("\n")),
    output && el("details", {}, el("summary", {}, "output"), plain(output, { fold: 400 })),
  ];
}

function answerView(step, before) {
  const { tool, text, data, error } = step;
  if (error) return el("div", { class: "refused" }, el("b", {}, "refused"), plain(text));
  if (data.diff) return changeView(text, data);
  if (data.outcomes) return evalView(text, data, before);
  if (tool === "pdb") return debuggerView(text);
  if (tool === "view") return fileView(text, data.path);
  return plain(text, { wrap: tool !== "trace" });
}

function costs({ seconds, usage }) {
  const parts = [duration(seconds)];
  if (usage.seconds) parts.push(`model ${duration(usage.seconds)}`);
  if (usage.output_tokens !== undefined)
    parts.push(`${short(usage.input_tokens ?? 0)} → ${short(usage.output_tokens)} tokens`);
  return parts.join(" · ");
}

const PURPOSES = { call: "reply without a call that was played", summary: "summary of the conversation" };

/** A reply of the model that led to no step: what it said, the calls in it, and what it was told. */
export function replyCard({ text, reasoning, calls, finish_reason: reason, purpose, remark }) {
  const title = PURPOSES[purpose];
  return el(
    "article",
    { class: "reply", "aria-label": title },
    el("header", {}, el("b", { class: "tool" }, title), el("span", { class: "costs" }, reason)),
    reasoning && el("div", { class: "thought" }, reasoning),
    text ? plain(text, { fold: 60 }) : !calls.length && el("p", { class: "quiet" }, "(no text)"),
    calls.map((call) => el("p", {}, el("code", {}, `${call.name} ${call.arguments}`))),
    remark && el("div", { class: "refused" }, el("b", {}, "what it was told"), plain(remark)),
  );
}

/** The card of a step; `before` are the tests' outcomes before it. */
export function stepCard(step, number, link, before) {
  return el(
    "article",
    {
      class: `step ${step.kind}${step.error ? " failed" : ""}`,
      id: `step-${number}`,
      tabindex: "-1",
      "aria-label": `Step ${number}: ${step.tool}`,
    },
    el(
      "header",
      {},
      el("a", { class: "count", href: link, title: "Link to this step" }, String(number)),
      el("b", { class: "tool" }, step.tool),
      el("span", { class: "summary" }, !PROMPTS[step.tool] && summary(step)),
      el("span", { class: "costs" }, costs(step)),
    ),
    step.thought && el("div", { class: "thought" }, step.thought),
    callView(step),
    answerView(step, before),
  );
}
