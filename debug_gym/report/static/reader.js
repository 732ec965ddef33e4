// Goes from step to step of an episode, and searches in them.
import { el, searchField } from "./dom.js";
import { plural } from "./words.js";

const mark = (link, current) =>
  current ? link.setAttribute("aria-current", "step") : link.removeAttribute("aria-current");

export class Reader {
  /** Takes the steps; for each its card (and one more, the verdict) and its links; the time line and the
   * list that hold them; the addresses; and the element that scrolls. */
  constructor({ steps, cards, line, list, links, home, story }) {
    Object.assign(this, { steps, cards, line, list, links, home });
    this.texts = steps.map((step) => JSON.stringify(step).toLowerCase());
    this.current = -1;
    this.scrolled = false;
    this.search = searchField("Search in the steps");
    this.found = el("output", { class: "quiet" });
    this.find = el("div", { class: "find" }, this.search, this.found);
    this.search.addEventListener("input", () => this.filter());
    const scrolled = () => (this.scrolled = true);
    story.addEventListener("wheel", scrolled, { passive: true });
    story.addEventListener("touchmove", scrolled, { passive: true });
  }

  /** Make a card the current one; the address follows. */
  select(index) {
    const card = this.cards[index];
    if (!card) return;
    this.current = index;
    this.scrolled = false;
    [...this.line.children].forEach((link, place) => mark(link, place === index));
    [...this.list.children].forEach((item, place) => mark(item.firstChild, place === index));
    history.replaceState(null, "", this.links[index] ?? this.home);
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "start" });
    this.list.children[index]?.scrollIntoView({ block: "nearest" });
    this.line.children[index]?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Select the next card before (-1) or after (1) the current one that the search has left. */
  move(direction) {
    let index = this.scrolled ? this.seen() - (direction > 0 ? 1 : 0) : this.current;
    do index += direction;
    while (this.cards[index]?.hidden);
    this.select(index);
  }

  /** The first card of which one sees more than its end: where one has scrolled to. */
  seen() {
    const edge = this.find.getBoundingClientRect().bottom + 40;
    return this.cards.findIndex((card) => card.getBoundingClientRect().bottom > edge);
  }

  /** Leave only the steps that hold what is searched for. */
  filter() {
    const wanted = this.search.value.trim().toLowerCase();
    const fits = this.texts.map((text) => text.includes(wanted));
    fits.forEach((fit, index) => {
      this.cards[index].hidden = this.list.children[index].hidden = !fit;
      this.line.children[index].classList.toggle("dimmed", !fit);
    });
    const count = fits.filter(Boolean).length;
    this.found.textContent = wanted && `${count} of ${plural(this.steps.length, "step")}`;
    this.current = -1;
  }

  /** Go to the attempt at the same task before or after this one. */
  sibling(direction) {
    const links = [...document.querySelectorAll(".siblings a")];
    const here = links.findIndex((link) => link.hasAttribute("aria-current"));
    links[here + direction]?.click();
  }

  /** What each key does here. */
  get keys() {
    const next = ["next step", () => this.move(1)];
    const previous = ["previous step", () => this.move(-1)];
    return {
      j: next,
      k: previous,
      ArrowRight: next,
      ArrowLeft: previous,
      g: ["first step", () => this.select(0)],
      G: ["verdict", () => this.select(this.cards.length - 1)],
      "/": ["search in the steps", () => this.search.focus()],
      "[": ["previous attempt at this task", () => this.sibling(-1)],
      "]": ["next attempt at this task", () => this.sibling(1)],
    };
  }
}
