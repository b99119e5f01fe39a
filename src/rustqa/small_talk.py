"""Answers greetings, thanks and questions about rustqa itself with fixed words."""

from __future__ import annotations

import re

_CAN = (
    "I answer questions about {these} with words cut from {them}, each with its place, and say so "
    "when {they} not say. I add nothing of my own."
)
_REPLIES = {
    r"(?:hi|hey|hello|greetings|good (?:day|morning|afternoon|evening))"
    r"(?: (?:there|again|you|all|everyone|rustqa|bot|chatbot))*": f"Hello. {_CAN}",
    r"(?:many |no |ok |okay |great |perfect )?(?:thanks?|thank you|thx|cheers)"
    r"(?: you)?(?: (?:so|very) much| a lot| again| anyway| for (?:the|your) \w+)*"
    r"|(?:that (?:is|was) |thats |very )?(?:great|helpful|perfect|nice|cool|wow|well done)"
    r"|ok|okay|i see|got it|understood|(?:that is|thats) all(?: for now)?": "You are welcome.",
    r"(?:good ?)?bye(?: bye)?|see you(?: later| soon)?|good night|farewell": "Goodbye.",
    r"(?:and )?(?:who|what) (?:are|r) (?:you|u)|what is (?:rustqa|your name)|whats your name"
    r"|are you (?:an? )?(?:real |large )*"
    r"(?:ai|bot|chatbot|robot|human|person|real|language model|llm|chatgpt)"
    r"|(?:and )?what (?:can|do|could) (?:you|u|i) (?:do|ask(?: you)?|know|answer)(?: here| for me)?"
    r"|what (?:can|could|should|may) i (?:ask|do)(?: you)?(?: here)?"
    r"|(?:can you |please )?help(?: me)?(?: please)?|how (?:do you|does this) work"
    r"|how (?:can|could) you help(?: me)?|what is this(?: page| site| thing)?": (
        f"I am rustqa. {_CAN}"
    ),
    r"how are you(?: doing)?(?: today)?|how do you do|whats up|hows it going|how is it going": (
        f"I am a program, and well. {_CAN}"
    ),
}
_PATTERNS = {re.compile(pattern): reply for pattern, reply in _REPLIES.items()}
# Words of a phrase.
_LONGEST = 10
_OFF_TOPIC = "That does not seem to be about {these}."


def small_talk(question: str, articles: int = 1) -> str | None:
    """The reply to a question that asks nothing of the articles; None if it may."""
    words = re.findall(r"\w+", re.sub(r"['’]", "", question.lower()))
    # The reply to the last phrase, for each number of words that phrases can be made of.
    replies: dict[int, str | None] = {0: None}
    for end in range(1, len(words) + 1):
        for start in range(max(0, end - _LONGEST), end):
            if start in replies and (reply := _reply(" ".join(words[start:end]))):
                replies[end] = reply
                break
    last = replies.get(len(words))
    return _said_of(last, articles) if last else None


def off_topic(articles: int = 1) -> str:
    """The reply to a question about something else."""
    return _said_of(_OFF_TOPIC, articles)


def _reply(words: str) -> str | None:
    return next((reply for pattern, reply in _PATTERNS.items() if pattern.fullmatch(words)), None)


def _said_of(text: str, articles: int) -> str:
    these, them, they = (
        ("the article", "it", "it does") if articles == 1 else ("the articles", "them", "they do")
    )
    return text.format(these=these, them=them, they=they)
