// Answers as text to take away. Offsets count code points, so texts are cut as lists of them.

import { log } from "./conversation.js";

const MONTHS = [
  "January", "February", "March", "April", "May", "June",
  "July", "August", "September", "October", "November", "December",
];
const CLOSEST = "Closest passages, which do not answer the question:";
const DIFFERING = "Differing accounts:";

// One answer with its citation, as plain text.
export function plain(record) {
  const { claims, contested } = record;
  const given = (contested ? claims : claims.slice(0, 1)).map((claim) => {
    const citation = cited(record, claim);
    const whose = claim.speaker ? `${claim.speaker}, in ` : "";
    return [
      ...(claim.text === citation.cited_text ? [] : [claim.text]),
      `> ${citation.cited_text}`,
      `— ${whose}${place(citation)}`,
      absolute(citation.url),
      ...others(record, claim).map((other) => `Also in ${place(other, citation)}`),
    ].join("\n");
  });
  if (contested) given.unshift(DIFFERING);
  return [record.question, ...(claims.length ? given : [silence(record)])].join("\n\n") + "\n";
}

// The conversation as CommonMark.
export function markdown(records) {
  return ["# Questions and answers", ...records.flatMap(turn)].join("\n\n") + "\n";
}

function turn(record) {
  const { question, question_used: used, message, claims, nearest, contested } = record;
  const lines = [`## ${escape(question)}`];
  if (message === null && used !== question.trim()) lines.push(`Understood as: ${escape(used)}`);
  if (contested) lines.push(DIFFERING);
  for (const claim of claims) {
    const whose = claim.speaker ? `According to ${escape(claim.speaker)}: ` : "";
    const sure = `confidence ${Math.round(100 * claim.confidence)}%`;
    lines.push(`${whose}**${escape(claim.text)}** (${sure})`, quotation(cited(record, claim), true));
    const also = others(record, claim).map((other) => `- Also in ${linked(other, cited(record, claim))}`);
    if (also.length) lines.push(also.join("\n"));
  }
  if (!claims.length) lines.push(escape(silence(record)));
  if (nearest.length) lines.push(CLOSEST, ...nearest.map((citation) => quotation(citation, false)));
  return lines;
}

function quotation(citation, marked) {
  const points = [...citation.cited_text];
  const from = citation.answer_start_char - citation.start_char;
  const to = citation.answer_end_char - citation.start_char;
  const pieces = [points.slice(0, from), points.slice(from, to), points.slice(to)];
  const [before, words, behind] = pieces.map((part) => escape(part.join("")));
  const whole = marked ? `${before}**${words}**${behind}` : before + words + behind;
  return `> ${whole}\n>\n> — ${linked(citation)}`;
}

// The parts that say where a quotation stands; behind another one of its article only the paragraph.
function parts({ document_id: id, document_title: title, document_date: date, paragraph }, before) {
  const article = id === before?.document_id ? [] : [title, ...(date ? [inWords(date)] : [])];
  return [...article, `paragraph ${paragraph}`];
}

const place = (citation, before) => parts(citation, before).join(", ");

// The same with a link and the characters.
function linked(citation, before) {
  const [first, ...rest] = parts(citation, before).map(escape);
  const characters = `characters ${citation.start_char}–${citation.end_char}`;
  return [`[${first}](<${absolute(citation.url)}>)`, ...rest, characters].join(", ");
}

// A date as the page shows it.
export function inWords(date) {
  const [, year, month, day] = /^(\d{4})-(0[1-9]|1[0-2])(?:-(\d\d)(?:[T ].*)?)?$/.exec(date) ?? [];
  return year ? [...(day ? [Number(day)] : []), MONTHS[month - 1], year].join(" ") : date;
}

export function save(text, name, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const absolute = (url) => location.origin + url;
const cited = (record, claim) => record.citations.find(({ id }) => id === claim.citation);
const others = ({ citations }, claim) =>
  claim.citations.slice(1).map((number) => citations.find(({ id }) => id === number));
const silence = ({ message }) => (message === null ? log.dataset.silence : `rustqa: ${message}`);

// What cannot be seen but turns round or hides what stands beside it; flags are whole with theirs.
const CONTROL =
  /\u{1f3f4}[\u{e0061}-\u{e007a}]{5}\u{e007f}|([\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}])/gu;
const named = (found, control) =>
  control ? `⟨U+${control.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩` : found;

// Text that Markdown would take for its own signs, on one line, its controls named.
function escape(text) {
  return text
    .replace(CONTROL, named)
    .replace(/\s+/g, " ")
    .replace(/[\\`*_[\]<>&~|#!]/g, "\\$&")
    .replace(/^(\s*)([-+=]|\d+(?=[.)]))/, (_, space, sign) =>
      /\d/.test(sign) ? `${space}${sign}\\` : `${space}\\${sign}`,
    );
}
