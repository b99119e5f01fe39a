// The question box: what stands in it, whether that is asked by itself, the way back to earlier ones.

import { questions } from "./conversation.js";

export const form = document.getElementById("ask");
export const box = document.getElementById("q");

const note = document.getElementById("note");
const touch = matchMedia("(pointer: coarse)");

let alone = false; // whether the question leaves the conversation out
let recalled = 0; // how many questions back the box has gone; 0: not at all

export const isAlone = () => alone;

export function write(text, byItself = false) {
  box.value = text;
  alone = byItself;
  recalled = 0;
  note.textContent = byItself ? "This is asked by itself, without the conversation." : "";
}

// Makes ready for the next question; keys on the screen make room for the answer.
export function leave() {
  if (touch.matches) box.blur();
  else box.focus({ preventScroll: true });
}

function recall(step) {
  const asked = questions();
  const back = Math.min(Math.max(recalled + step, 0), asked.length);
  write(back ? asked.at(-back) : "");
  recalled = back;
}

box.addEventListener("input", () => {
  recalled = 0;
  if (!box.value) write("");
});

document.addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key === "/" && document.activeElement !== box) {
    event.preventDefault();
    box.focus();
  } else if (event.target === box && event.key === "ArrowUp" && (recalled || !box.value)) {
    event.preventDefault();
    recall(1);
  } else if (event.target === box && event.key === "ArrowDown" && recalled) {
    event.preventDefault();
    recall(-1);
  }
});
