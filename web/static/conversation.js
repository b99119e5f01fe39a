// The turns shown in the log, and their copies in this tab's own storage, which ends with the tab.

export const log = document.getElementById("log");

const KEY = `conversation ${log.dataset.edition}`; // other articles make another conversation
const TURNS = 20; // the server takes so many earlier turns
const html = new Map(); // each turn as it was made, whatever its buttons say meanwhile

export const turns = () => [...log.querySelectorAll(".turn[data-record]")];
export const record = (turn) => JSON.parse(turn.dataset.record);
export const records = () => turns().map(record);
export const questions = () => records().map(({ question }) => question);

// Greetings and the like are no questions that another could lean on.
export function history() {
  return records()
    .filter(({ message }) => message === null)
    .slice(-TURNS)
    .map(({ question, answer }) => ({ question, answer }));
}

export function keep(turn) {
  html.set(turn, turn.outerHTML);
  try {
    sessionStorage.setItem(KEY, JSON.stringify(turns().map((shown) => html.get(shown))));
  } catch {
    throw new Error("the browser keeps no more of this conversation; save it before you reload");
  }
}

export function forget() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Without storage there is nothing to forget.
  }
}

// Shows the kept turns again; gives the one to look at. A turn that the address asks for follows
// them, unless it is among them.
export function restore() {
  const linked = turns()[0];
  const kept = stored();
  log.prepend(...kept);
  kept.forEach((turn) => html.set(turn, turn.outerHTML));
  const known = linked && kept.find((turn) => address(turn) === address(linked));
  if (known) linked.remove();
  return known ?? linked ?? kept.at(-1);
}

// What is kept is parsed and never run: the parser runs no script, the page's policy no handler;
// and of elements only those are shown of which the server makes turns and lists.
function stored() {
  try {
    const texts = JSON.parse(sessionStorage.getItem(KEY)) ?? [];
    const kept = texts.map((text) => parse(text).querySelector(".turn"));
    return kept.every(isTurn) ? kept : [];
  } catch {
    return [];
  }
}

function isTurn(turn) {
  const { question, question_used: used, claims, citations, nearest } = record(turn);
  const texts = [question, used].every((text) => typeof text === "string");
  return texts && [claims, citations, nearest].every(Array.isArray) && isOwn(turn) && address(turn);
}

const OWN = new Set((
  "a b bdi blockquote button cite details div figcaption figure h2 h3 input li mark p q section " +
  "small span summary ul"
).split(" "));
export const isOwn = (element) =>
  [...element.querySelectorAll("*")].every(({ localName }) => OWN.has(localName));

export const parse = (text) => new DOMParser().parseFromString(text, "text/html");
const address = (turn) => turn.querySelector(".permalink").href;
