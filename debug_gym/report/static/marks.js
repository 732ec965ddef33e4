// An attempt as a link of one character.
import { address } from "./data.js";
import { el } from "./dom.js";
import { STATES, duration, plural } from "./words.js";

/** A link to an attempt, or its mark alone where there is nothing to read. */
export function attemptLink(run, attempt, { current = false, label = false } = {}) {
  const { mark, word } = STATES[attempt.state];
  const details = [
    word,
    attempt.cheating && "cheating found",
    attempt.unguarded && "forging not bounded",
    attempt.disputed && "the benchmark's own harness says otherwise",
    attempt.steps !== null && `${plural(attempt.steps, "step")}, ${duration(attempt.seconds)}`,
    attempt.reason,
  ];
  const title = `${run}, ${attempt.task}, attempt ${attempt.attempt}: ${details.filter(Boolean).join("; ")}`;
  const name = attempt.episode === null ? "span" : "a";
  return el(
    name,
    {
      class: `mark ${attempt.state}${attempt.cheating ? " cheating" : ""}${attempt.unguarded ? " unguarded" : ""}`,
      href: name === "a" && address(run, attempt.task, attempt.attempt),
      title,
      "aria-label": title,
      role: name === "span" && "img",
      "aria-current": current && "page",
    },
    attempt.cheating ? "⚑" : mark,
    label && el("span", {}, `${run} #${attempt.attempt}`),
  );
}
