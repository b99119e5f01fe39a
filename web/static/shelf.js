// The list of articles: found, opened beside the conversation, and chosen to be asked alone.

import { show } from "./article.js";
import { isOwn, log, parse } from "./conversation.js";
import { inWords } from "./export.js";
import { form } from "./question.js";

const KEY = `articles ${log.dataset.edition}`;
const TYPING = 250; // milliseconds without a key after which the words are looked for

const shelf = document.getElementById("shelf");
const words = document.getElementById("words");
const limits = document.getElementById("limits");

let looking; // the search under way, which a later one ends
let pause;

// Which articles are asked, as POST /ask takes it; nothing where all are.
export function scope() {
  const fields = new FormData(form);
  const documents = fields.getAll("document");
  const [since, until] = [fields.get("since"), fields.get("until")];
  return {
    ...(documents.length && { documents }), ...(since && { since }), ...(until && { until }),
  };
}

export function forgetScope() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Without storage there is nothing to forget.
  }
}

const boxes = (within) => [...within.querySelectorAll("input[name=document]")];
const day = (name) => form.elements.namedItem(name);

function changed() {
  const { documents = [], since, until } = scope();
  const total = Number(limits.dataset.total).toLocaleString("en");
  const which = documents.length ? `${documents.length.toLocaleString("en")} of ${total} articles` : "articles";
  const when = since && until ? `from ${inWords(since)} to ${inWords(until)}` : since
    ? `from ${inWords(since)} on` : until ? `up to ${inWords(until)}` : "";
  limits.hidden = !documents.length && !when;
  limits.querySelector("b").textContent = [which, when].filter(Boolean).join(documents.length ? ", " : " ");
  keep({ rows: boxes(shelf).filter((box) => box.checked).map((box) => box.closest("li").outerHTML), since, until });
}

function keep(kept) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // The choice holds while the page is shown.
  }
}

// What was chosen before a reload; an address that names its own choice counts for more.
function restore() {
  const named = new URLSearchParams(location.search);
  if (["document", "since", "until"].some((name) => named.has(name))) return;
  try {
    const { rows, since, until } = JSON.parse(sessionStorage.getItem(KEY));
    const kept = rows.map((row) => parse(row).querySelector("li"));
    if (!kept.every((row) => boxes(row).length === 1 && isOwn(row))) return;
    [day("since").value, day("until").value] = [since ?? "", until ?? ""];
    for (const row of kept) boxes(row)[0].checked = true;
    arrange(kept);
    if (since || until) look(address());
  } catch {
    // What is no choice of ours is left out.
  }
}

// Puts the chosen rows before the others, unless they are among those listed.
function arrange(chosen) {
  const listed = new Map(boxes(document.getElementById("listed")).map((box) => [box.value, box]));
  const rest = chosen.filter((row) => {
    const box = listed.get(boxes(row)[0].value);
    if (box) box.checked = true;
    return !box;
  });
  document.getElementById("chosen").replaceChildren(...rest);
  changed();
}

function address() {
  const { since, until } = scope();
  return `/articles?${new URLSearchParams({ q: words.value, count: 10, ...(since && { since }), ...(until && { until }) })}`;
}

// Shows another part of the list; the choice stays as it is.
async function look(url) {
  looking?.abort();
  looking = new AbortController();
  const { signal } = looking;
  try {
    const response = await fetch(url, { headers: { Accept: "text/html" }, signal });
    if (!response.ok) {
      const said = parse(await response.text()).querySelector(".sentence")?.textContent;
      throw new Error(said ?? "the articles cannot be listed; reload the page");
    }
    const found = parse(await response.text()).getElementById("found");
    const rows = boxes(shelf).filter((box) => box.checked).map((box) => box.closest("li"));
    for (const box of boxes(found)) {
      box.checked = false;
      box.setAttribute("form", form.id);
    }
    document.getElementById("found").replaceWith(found);
    arrange(rows);
  } catch (error) {
    if (error.name !== "AbortError") document.querySelector("#found .count").textContent = error.message;
  }
}

function askAll() {
  for (const box of boxes(shelf)) box.checked = false;
  [day("since").value, day("until").value] = ["", ""];
  arrange([]);
  look(address());
}

if (shelf) {
  shelf.addEventListener("submit", (event) => {
    event.preventDefault();
    look(address());
  });
  words.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(() => look(address()), TYPING);
  });
  shelf.addEventListener("change", ({ target }) => {
    if (target.name === "document") changed();
    else if (target.name === "since" || target.name === "until") {
      changed();
      look(address());
    }
  });
  document.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.shiftKey) return;
    const link = event.target.closest("#found .paging a, #found .read, #all");
    if (!link) return;
    event.preventDefault();
    if (link.id === "all") askAll();
    else if (link.matches(".read")) show(link.dataset.document).catch(report);
    else look(link.href);
  });
  restore();
}

function report(error) {
  document.getElementById("message").textContent = error.message;
}
