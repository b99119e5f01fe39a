// Asks without leaving the page. Everything it shows is cut and marked by the server.

import { beside, highlight, reveal, revealCited } from "./article.js";
import {
  forget, history, keep, log, parse, questions, record, records, restore, turns,
} from "./conversation.js";
import { markdown, plain, save } from "./export.js";
import { box, form, isAlone, leave, write } from "./question.js";
import { forgetScope, scope } from "./shelf.js";

const message = document.getElementById("message");

const OFFERED = 3;

let busy = false;

async function ask(question, byItself = false) {
  if (busy) return;
  busy = true;
  const earlier = byItself ? [] : history();
  message.textContent = "";
  write("");
  const waiting = wait(question);
  try {
    const response = await post("/ask", { question, history: earlier, ...scope() }, "text/html");
    const turn = parse(await response.text()).querySelector(".turn");
    log.querySelector(".welcome")?.remove();
    waiting.replaceWith(turn);
    present(turn);
    reveal(turn, "start");
    highlight(answering(turn), beside.matches).catch(report);
    remember(turn);
  } catch (error) {
    waiting.remove();
    if (!box.value) write(question, byItself);
    report(error);
  } finally {
    busy = false;
    leave();
  }
}

async function post(path, body, accepted) {
  const headers = { "Content-Type": "application/json", Accept: accepted };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error((await response.json()).error);
  return response;
}

function remember(turn) {
  try {
    keep(turn);
  } catch (error) {
    report(error);
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
  asked.dir = "auto";
  asked.textContent = question;
  state.textContent = "Reading…";
  waiting.append(asked, state);
  log.append(waiting);
  reveal(waiting, "nearest");
  return waiting;
}

// Leaves of the suggested questions a few that have not been asked.
function present(turn) {
  const asked = new Set([...questions(), ...records().map((one) => one.question_used)].map(words));
  for (const link of turn.querySelectorAll(".suggestion")) {
    if (asked.has(words(link.textContent))) link.parentElement.remove();
  }
  const rest = [...turn.querySelectorAll(".following li")];
  rest.slice(OFFERED).forEach((item) => item.remove());
  if (!rest.length) turn.querySelector(".following")?.remove();
  document.getElementById("kept").hidden = false;
}

const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu)?.join(" ");
const answering = (turn) => (record(turn).claims.length ? [...turn.querySelectorAll(".quotation")] : []);

async function copy(control, text, done) {
  try {
    await navigator.clipboard.writeText(text);
    const label = (control.dataset.label ??= control.textContent);
    control.textContent = done;
    setTimeout(() => (control.textContent = label), 2000);
    message.textContent = "";
  } catch {
    message.textContent = "the browser does not let this page copy; select the text and copy it yourself";
  }
}

async function judge(turn, verdict) {
  const { question, answer } = record(turn);
  const asked = { history: JSON.parse(turn.dataset.history), ...JSON.parse(turn.dataset.scope) };
  const buttons = turn.querySelectorAll(".verdict button");
  buttons.forEach((button) => (button.disabled = true));
  try {
    await post("/feedback", { question, ...asked, answer, verdict }, "application/json");
    turn.querySelector(".verdict").textContent = `Kept in the file: this is ${verdict}.`;
    remember(turn);
    leave();
  } catch (error) {
    buttons.forEach((button) => (button.disabled = false));
    report(error);
  }
}

const actions = {
  ".suggestion": (link) => ask(link.textContent),
  ".place": (link) => highlight([link.closest(".quotation")], true).catch(report),
  ".copy": (button) => copy(button, plain(record(button.closest(".turn"))), "Copied"),
  ".permalink": (link) => copy(link, link.href, "Link copied"),
  ".edit": (button) => {
    write(record(button.closest(".turn")).question_used, true);
    box.focus();
  },
  ".verdict button": (button) => judge(button.closest(".turn"), button.value),
  "#markdown": () => save(markdown(records()), "conversation.md", "text/markdown"),
  "#json": () => save(JSON.stringify(records(), null, 2), "conversation.json", "application/json"),
  "#new": () => {
    forget();
    forgetScope();
    location.assign("/");
  },
};

document.addEventListener("click", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey || event.shiftKey) return;
  for (const [selector, act] of Object.entries(actions)) {
    const control = event.target.closest(selector);
    if (!control) continue;
    event.preventDefault();
    act(control);
    return;
  }
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(box.value, isAlone());
});

const linked = turns().length > 0;
const shown = restore();
if (shown) {
  log.querySelector(".welcome")?.remove();
  present(shown);
  remember(shown);
  shown.scrollIntoView({ block: "start" });
  const marked = linked ? Promise.resolve() : highlight(answering(shown), false);
  marked.then(() => beside.matches && revealCited("auto"), report);
}
