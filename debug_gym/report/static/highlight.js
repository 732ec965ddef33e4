// Colours for Python source, line by line.
import { el } from "./dom.js";

const LONGEST = 2000; // characters of a line that is coloured
const KEYWORDS = new Set(
  (
    "False None True and as assert async await break case class continue def del elif else except finally for from " +
    "global if import in is lambda match nonlocal not or pass raise return try while with yield"
  ).split(" "),
);
const TOKEN =
  /(?<comment>#.*)|(?<string>[rbfu]{0,2}(?:"""|'''|"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?))|(?<number>\b\d[\w.]*)|(?<decorator>(?<=^\s*)@[\w.]+)|(?<word>[A-Za-z_]\w*)/gi;

function classOf(groups, before) {
  if (groups.word === undefined) return Object.keys(groups).find((key) => groups[key] !== undefined);
  if (KEYWORDS.has(groups.word)) return "keyword";
  if (/\b(?:def|class)\s+$/.test(before)) return "name";
  return groups.word === "self" || groups.word === "cls" ? "self" : "";
}

/** Gives the nodes of one line after the other, and remembers a string that goes on over lines. */
export class Painter {
  constructor(path) {
    this.python = path === undefined || /\.pyi?$/.test(path);
    this.quote = "";
  }

  paint(line) {
    if (!this.python || line.length > LONGEST) return [line];
    const nodes = [];
    let done = 0;
    const add = (end, kind) => {
      const text = line.slice(done, end);
      if (text) nodes.push(kind ? el("span", { class: `t-${kind}` }, text) : text);
      done = end;
    };
    if (this.quote) add(this.close(line, 0), "string");
    TOKEN.lastIndex = done;
    for (let match; (match = TOKEN.exec(line)); TOKEN.lastIndex = done) {
      const { groups, index } = match;
      let end = TOKEN.lastIndex;
      if (/^[a-z]*("""|''')$/i.test(groups.string)) {
        this.quote = groups.string.slice(-3);
        end = this.close(line, end);
      }
      add(index);
      add(end, classOf(groups, line.slice(0, index)));
    }
    add(line.length);
    return nodes;
  }

  /** Where the string that is open ends in this line. */
  close(line, from) {
    const end = line.indexOf(this.quote, from);
    if (end < 0) return line.length;
    this.quote = "";
    return end + 3;
  }
}
