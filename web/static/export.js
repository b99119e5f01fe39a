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
      `— ${whose}${titled(citation, citation.document_title)}, paragraph ${citation.paragraph}`,
      absolute(citation.url),
      ...further(record, claim).map((other) => `Also in ${where(other, citation, other.document_title)}`),
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
    const others = further(record, claim).map((other) => `- Also in ${also(other, cited(record, claim))}`);
    if (others.length) lines.push(others.join("\n"));
  }
  if (!claims.length) lines.push(escape(silence(record)));
  if (nearest.length) lines.push(CLOSEST, ...nearest.map((citation) => quotation(citation, false)));
  return lines;
}

function quotation(citation, marked) {
  const points = [...citation.cited_text];
  const from = citation.answer_start_char - citation.start_char;
  const to = citation.answer_end_char - citation.start_char;
  const parts = [points.slice(0, from), points.slice(from, to), points.slice(to)];
  const [before, words, behind] = parts.map((part) => escape(part.join("")));
  const whole = marked ? `${before}**${words}**${behind}` : before + words + behind;
  return `> ${whole}\n>\n> — ${titled(citation, linked(citation))}, ${placed(citation)}`;
}

const linked = (citation) => `[${escape(citation.document_title)}](<${absolute(citation.url)}>)`;
const placed = ({ paragraph, start_char: start, end_char: end }) =>
  `paragraph ${paragraph}, characters ${start}–${end}`;

// Where else the same is said, of the same article only the paragraph.
function also(citation, best) {
  if (citation.document_id !== best.document_id) return `${titled(citation, linked(citation))}, ${placed(citation)}`;
  return `[paragraph ${citation.paragraph}](<${absolute(citation.url)}>), ${placed(citation).replace(/^.*?, /, "")}`;
}

function where(citation, best, title) {
  const paragraph = `paragraph ${citation.paragraph}`;
  return citation.document_id === best.document_id ? paragraph : `${titled(citation, title)}, ${paragraph}`;
}

// The title, and the date as the page shows it.
function titled({ document_date: date }, title) {
  const [, year, month, day] = /^(\d{4})-(0[1-9]|1[0-2])(?:-(\d\d)(?:[T ].*)?)?$/.exec(date ?? "") ?? [];
  const words = year ? [...(day ? [Number(day)] : []), MONTHS[month - 1], year].join(" ") : escape(date ?? "");
  return words ? `${title}, ${words}` : title;
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
const further = (record, claim) =>
  claim.citations.slice(1).map((number) => record.citations.find(({ id }) => id === number));
const silence = ({ message }) => (message === null ? log.dataset.silence : `rustqa: ${message}`);

// Text that Markdown would take for its own signs, on one line.
function escape(text) {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\`*_[\]<>&~|#!]/g, "\\$&")
    .replace(/^(\s*)([-+=]|\d+(?=[.)]))/, (_, space, sign) =>
      /\d/.test(sign) ? `${space}${sign}\\` : `${space}\\${sign}`,
    );
}
