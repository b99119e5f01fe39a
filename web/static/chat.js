// Asks without leaving the page. Everything it shows is cut and marked by the server.

const log = document.getElementById("log");
const form = document.getElementById("ask");
const box = document.getElementById("q");
const message = document.getElementById("message");
const pane = document.getElementById("article");

const beside = matchMedia("(min-width: 60rem)");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const TURNS = 20; // the server takes so many earlier turns

let busy = false;

async function ask(question) {
  if (busy) return;
  busy = true;
  message.textContent = "";
  box.value = "";
  const waiting = wait(question);
  try {
    const response = await fetch("/ask", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "text/html" },
      body: JSON.stringify({ question, history: history() }),
    });
    if (!response.ok) throw new Error((await response.json()).error);
    const turn = parse(await response.text()).querySelector(".turn");
    log.querySelector(".welcome")?.remove();
    waiting.replaceWith(turn);
    reveal(turn, "start");
    const cited = turn.dataset.status === "answered" ? turn.querySelectorAll(".quotation") : [];
    highlight([...cited], beside.matches).catch(report);
  } catch (error) {
    waiting.remove();
    box.value ||= question;
    report(error);
  } finally {
    busy = false;
    box.focus({ preventScroll: true });
  }
}

function report(error) {
  // A TypeError is fetch's own, a SyntaxError comes of an answer that is not the server's.
  const unreached = error instanceof TypeError || error instanceof SyntaxError;
  message.textContent = unreached
    ? "the server cannot be reached; see that it runs, then ask again"
    : error.message;
}

function wait(question) {
  const waiting = document.createElement("section");
  const asked = document.createElement("h2");
  const state = document.createElement("p");
  waiting.className = "turn waiting";
  asked.className = "question";
  asked.textContent = question;
  state.textContent = "Reading…";
  waiting.append(asked, state);
  log.append(waiting);
  reveal(waiting, "nearest");
  return waiting;
}

function history() {
  return turns()
    .slice(-TURNS)
    .map(({ dataset }) => ({ question: dataset.question, answer: dataset.answer ?? null }));
}

// Marks in the article the sentences of the quotations, by copying them from there.
async function highlight(figures, scroll) {
  for (const sentence of pane.querySelectorAll(".cited, .also")) {
    sentence.replaceChildren(sentence.textContent);
    sentence.removeAttribute("class");
  }
  if (!figures.length) return;
  const id = figures[0].dataset.document;
  await open(id);
  for (const figure of figures.filter((other) => other.dataset.document === id)) {
    for (const copy of figure.querySelectorAll("[data-sentence]")) {
      const sentence = document.getElementById(copy.dataset.sentence);
      if (!sentence || sentence.className) continue;
      sentence.replaceChildren(...copy.cloneNode(true).childNodes);
      sentence.className = figure === figures[0] ? "cited" : "also";
    }
  }
  if (scroll) reveal(pane.querySelector(".cited"), "center");
}

async function open(id) {
  const shown = pane.querySelector(".article");
  if (shown.dataset.document === id) return;
  const headers = { Accept: "text/html" };
  const response = await fetch(`/articles/${encodeURIComponent(id)}`, { headers });
  if (!response.ok) throw new Error("the article cannot be shown; reload the page");
  const page = parse(await response.text());
  shown.replaceWith(page.querySelector(".article"));
  document.querySelector(".masthead h1").textContent = page.querySelector("h1").textContent;
}

const parse = (html) => new DOMParser().parseFromString(html, "text/html");
const turns = () => [...log.querySelectorAll(".turn[data-question]")];

function reveal(element, block) {
  element?.scrollIntoView({ block, behavior: still.matches ? "auto" : "smooth" });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(box.value);
});

document.addEventListener("click", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey || event.shiftKey) return;
  const link = event.target.closest("a.suggestion, a.place");
  if (!link) return;
  event.preventDefault();
  if (link.matches(".suggestion")) ask(link.textContent);
  else highlight([link.closest(".quotation")], true).catch(report);
});

document.addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key === "/" && document.activeElement !== box) {
    event.preventDefault();
    box.focus();
  } else if (event.key === "ArrowUp" && document.activeElement === box && !box.value) {
    event.preventDefault();
    box.value = turns().at(-1)?.dataset.question ?? "";
  }
});

if (beside.matches) pane.querySelector(".cited")?.scrollIntoView({ block: "center" });
