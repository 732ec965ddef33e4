// What the page holds: an index of runs and attempts, and episodes that are unpacked when they are wanted.
import { byId } from "./dom.js";

export const { boards, runs } = JSON.parse(byId("index").textContent);
Object.setPrototypeOf(runs, null); // a run may have any name

/** The address of a place in the report: a run, a task in it, an attempt at that, a step of it. */
export const address = (...parts) => "#/" + parts.map(encodeURIComponent).join("/");

const attemptsOf = new Map();
for (const [run, { attempts }] of Object.entries(runs)) {
  attemptsOf.set(
    run,
    Map.groupBy(attempts, ({ task }) => task),
  );
}

/** What the index says of an attempt; undefined if there is none. */
export function findAttempt(run, task, number) {
  return attemptsOf
    .get(run)
    ?.get(task)
    ?.find(({ attempt }) => attempt === Number(number));
}

/** All attempts at a task by all runs of a board, as [run, attempt] pairs. */
export function attemptsAt(board, task) {
  return board.runs.flatMap((run) => (attemptsOf.get(run).get(task) ?? []).map((attempt) => [run, attempt]));
}

/** Unpack an episode: base64, gzip, JSON. */
export async function loadEpisode(number) {
  const packed = atob(byId(`episode-${number}`).textContent);
  const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}
