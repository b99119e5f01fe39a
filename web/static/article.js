// The article beside the conversation: which one it is, and what is marked in it.

import { parse } from "./conversation.js";

const pane = document.getElementById("article");
const still = matchMedia("(prefers-reduced-motion: reduce)");

// The last wish counts: an article that arrives after another was wished for is left.
let wishes = 0;
let marked; // the quotations that were to be marked last

export const beside = matchMedia("(min-width: 60rem)");

export function reveal(element, block, behavior = "smooth") {
  element?.scrollIntoView({ block, behavior: still.matches ? "auto" : behavior });
}

export function revealCited(behavior) {
  reveal(pane.querySelector(".cited"), "center", behavior);
}

// Marks in the article the sentences of the quotations, by copying them from there.
export async function highlight(figures, scroll) {
  for (const sentence of pane.querySelectorAll(".cited, .also")) {
    for (const mark of sentence.querySelectorAll("mark")) mark.replaceWith(...mark.childNodes);
    sentence.normalize();
    sentence.removeAttribute("class");
  }
  marked = figures;
  if (!figures.length) return;
  const id = figures[0].dataset.document;
  if (!(await open(id)) || marked !== figures) return;
  for (const figure of figures.filter((other) => other.dataset.document === id)) {
    const best = figure === figures[0] || figure.closest(".accounts");
    for (const copy of figure.querySelectorAll("[data-sentence]")) {
      const sentence = document.getElementById(copy.dataset.sentence);
      if (!sentence || sentence.className) continue;
      sentence.replaceChildren(...copy.cloneNode(true).childNodes);
      sentence.className = best ? "cited" : "also";
    }
  }
  if (scroll) revealCited();
}

// Shows an article that is to be read, from its beginning.
export async function show(id) {
  if (!(await open(id))) return;
  await highlight([], false);
  reveal(pane.querySelector(".article"), "start");
}

// Puts an article beside the conversation; false if another wish came meanwhile.
async function open(id) {
  const wish = (wishes += 1);
  const shown = pane.querySelector(".article");
  if (shown.dataset.document === id) return true;
  const headers = { Accept: "text/html" };
  const response = await fetch(`/articles/${encodeURIComponent(id)}`, { headers });
  const page = parse(await response.text());
  if (wish !== wishes) return false;
  if (!response.ok) throw new Error("the article cannot be shown; reload the page");
  shown.replaceWith(page.querySelector(".article"));
  document.querySelector(".masthead h1").replaceChildren(...page.querySelector("h1").childNodes);
  for (const link of pane.querySelectorAll(".read")) {
    if (link.dataset.document === id) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  return true;
}
