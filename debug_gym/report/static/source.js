// Source code as rows: files, diffs, and what a debugger shows.
import { el } from "./dom.js";
import { Painter } from "./highlight.js";

const FOLDED = 30; // rows that are shown before one asks for more

/** Rows of code: {number, text, kind, mark}; long ones are folded. Returns one element. */
export function code(rows, path, { fold = FOLDED } = {}) {
  const painter = new Painter(path);
  const make = ({ number = "", text, kind = "", mark = "" }) =>
    el(
      "div",
      { class: `row ${kind}` },
      el("span", { class: "mark", "aria-hidden": "true" }, mark),
      el("span", { class: "number" }, String(number)),
      el("code", {}, kind === "hunk" ? text : painter.paint(text)),
    );
  return folded(rows, make, "code", fold);
}

/** Lines of plain text, folded as code is; tables should not be wrapped. */
export function plain(text, { fold = FOLDED, wrap = true } = {}) {
  return folded(
    text.split("\n"),
    (line) => el("div", { class: "row" }, el("code", {}, line)),
    `code plain${wrap ? " wrap" : ""}`,
    fold,
  );
}

function folded(items, make, kind, fold) {
  const few = items.length > fold * 1.3 ? items.slice(0, fold) : items;
  const box = el("div", { class: kind, tabindex: "0", role: "group", "aria-label": "source" }, few.map(make));
  if (few.length === items.length) return box;
  const unfold = () => {
    more.remove();
    box.append(...items.slice(few.length).map(make));
    box.focus();
  };
  const more = el(
    "button",
    { type: "button", class: "more", click: unfold },
    `${items.length - few.length} more lines`,
  );
  return el("div", { class: "folded" }, box, more);
}

const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)$/;

/** The files of a unified diff: [{path, rows}]. */
export function parseDiff(diff) {
  const files = [];
  let oldLeft = 0,
    newLeft = 0,
    oldNumber = 0,
    newNumber = 0,
    from = "";
  for (const line of diff.replace(/\n$/, "").split("\n")) {
    const hunk = HUNK.exec(line);
    const rows = files.at(-1)?.rows;
    if (oldLeft > 0 || newLeft > 0) {
      const sign = line[0],
        text = line.slice(1);
      if (sign === "-") (rows.push({ number: oldNumber++, text, kind: "removed", mark: "−" }), oldLeft--);
      else if (sign === "+") (rows.push({ number: newNumber++, text, kind: "added", mark: "+" }), newLeft--);
      else if (sign !== "\\") (rows.push({ number: newNumber++, text }), oldNumber++, oldLeft--, newLeft--);
    } else if (line.startsWith("--- ")) from = line.slice(4);
    else if (line.startsWith("+++ ")) {
      const to = line.slice(4);
      files.push({ path: (to === "/dev/null" ? from : to).replace(/^[ab]\//, ""), rows: [] });
    } else if (hunk && rows) {
      [oldNumber, newNumber] = [Number(hunk[1]), Number(hunk[3])];
      [oldLeft, newLeft] = [Number(hunk[2] ?? 1), Number(hunk[4] ?? 1)];
      rows.push({
        text: `lines ${newNumber}–${newNumber + Math.max(newLeft, 1) - 1}${hunk[5] ? ` ${hunk[5].trim()}` : ""}`,
        kind: "hunk",
      });
    }
  }
  return files;
}

/** A unified diff, file by file. */
export function diffView(diff) {
  return parseDiff(diff).map(({ path, rows }) =>
    el("div", { class: "file" }, el("div", { class: "path" }, path), code(rows, path, { fold: 60 })),
  );
}

const STOP = /^(.+) at (\S.*):(\d+) in (.+)$/;
const LISTED = /^ *(\d+) (B| )(->|>>|  )(?: {2}(.*))?$/;
const WRITTEN = "\n--- the program wrote ---\n";
const BLANK = /^ *(\d+)(?: B)?$/;

/** What a debugger said as parts: {stop, rows} for places with their source, {text} for all else. */
export function parseDebugger(text) {
  const parts = [];
  let listing = null;
  for (const line of text.split("\n")) {
    const row = LISTED.exec(line) ?? (listing && BLANK.exec(line));
    const follows = row && (!listing || Number(row[1]) === listing.at(-1).number + 1);
    if (follows) {
      if (!listing) {
        listing = [];
        const stop = STOP.exec(parts.at(-1)?.lines?.at(-1) ?? "");
        if (stop) parts.at(-1).lines.pop();
        parts.push({
          stop: stop && { reason: stop[1], file: stop[2], line: stop[3], function: stop[4] },
          rows: listing,
        });
      }
      const current = row[3] === "->",
        raised = row[3] === ">>";
      listing.push({
        number: Number(row[1]),
        text: row[4] ?? "",
        kind: current ? "current" : raised ? "raised" : "",
        mark: (row[2] === "B" ? "●" : "") + (current ? "▶" : raised ? "⚡" : ""),
      });
    } else {
      listing = null;
      if (parts.at(-1)?.lines) parts.at(-1).lines.push(line);
      else parts.push({ lines: [line] });
    }
  }
  return parts.filter((part) => part.rows || part.lines.some((line) => line.trim()));
}

function stopView({ stop, rows }) {
  const place =
    stop &&
    el(
      "div",
      { class: "path" },
      el("b", {}, stop.reason),
      ` ${stop.file}:${stop.line} `,
      el("span", { class: "quiet" }, `in ${stop.function}`),
    );
  return el("div", { class: "stop" }, place, code(rows));
}

/** What a debugger said, its stops with their source; then what the program wrote. */
export function debuggerView(text) {
  const end = text.indexOf(WRITTEN);
  const said = end < 0 ? text : text.slice(0, end);
  const views = parseDebugger(said).map((part) =>
    part.rows ? stopView(part) : plain(part.lines.join("\n")),
  );
  if (end < 0) return views;
  const written = plain(text.slice(end + WRITTEN.length), { fold: 12 });
  return [...views, el("div", { class: "path" }, "the program wrote"), written];
}
