// Elements out of data. What comes from a run goes into text nodes and attributes, never into markup.

/** An element with attributes, listeners (functions) and children; false, null and "" are left out. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key, value);
    else if (value !== false && value !== null && value !== undefined)
      node.setAttribute(key, value === true ? "" : value);
  }
  node.append(
    ...children
      .flat(Infinity)
      .filter((child) => child !== false && child !== null && child !== undefined && child !== ""),
  );
  return node;
}

export const byId = (id) => document.getElementById(id);

/** A field to search in, which says what for. */
export const searchField = (label) =>
  el("input", { type: "search", placeholder: label, "aria-label": label });

/** A table row of a header and cells. */
export function tableRow(header, ...cells) {
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, header),
    cells.map((cell) => el("td", {}, cell)),
  );
}

/** A table that scrolls sideways by itself where the page is too narrow for it. */
export function wide(...rows) {
  const table = el("table", {}, ...rows);
  const box = el("div", { class: "scroll" }, table);
  new ResizeObserver(() => box.classList.toggle("wide", table.offsetWidth > box.clientWidth)).observe(box);
  return box;
}
