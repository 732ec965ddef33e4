// The keyboard: which key does what depends on what is shown; ? tells.
import { byId, el, tableRow } from "./dom.js";

const NAMES = {
  __proto__: null,
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
};

function showKeys(keys) {
  const byAction = Map.groupBy(Object.entries(keys), ([, [action]]) => action);
  const rows = [...byAction].map(([action, entries]) =>
    tableRow(
      entries.map(([key]) => [el("kbd", {}, NAMES[key] ?? key), " "]),
      action,
    ),
  );
  const dialog = byId("keys");
  dialog.replaceChildren(
    el("h2", { id: "keys-title" }, "Keys"),
    el("table", {}, el("tbody", {}, rows)),
    el("form", { method: "dialog" }, el("button", {}, "Close")),
  );
  dialog.showModal();
}

/** Listen to the keyboard. `current()` gives a table {key: [what it does, function]} of what is shown. */
export function listen(current) {
  const help = () => showKeys({ ...current(), "?": ["show the keys", help] });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
    const typing = event.target.matches("input, select, textarea");
    if (typing && event.key === "Escape") return event.target.blur();
    if (typing) return;
    const [, act] = event.key === "?" ? [, help] : (current()[event.key] ?? []);
    if (!act) return;
    event.preventDefault();
    act();
  });
  byId("help").addEventListener("click", help);
}
