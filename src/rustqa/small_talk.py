"""Answers greetings, thanks and questions about rustqa itself with fixed words."""

from __future__ import annotations

import re

_CAN = (
    "I answer questions about {these} with words cut from {them}, each with its place, and say so "
    "when {they} not say. I add nothing of my own."
)
_REPLIES = {
    rf"(?:hi|hey|hello|greetings|good (?:day|morning|afternoon|evening))(?: (?:there|again|you|all"
    rf"|everyone|rustqa|bot|chatbot))*": f"Hello. {_CAN}",
    r"(?:many |ok(?:ay)? |no |great |perfect )?(?:thanks?|thank you|thx|cheers)(?: you)?(?: (?:so|very)"
    r" much| a lot| again| (?:anyway|that was|that is|thats) ?\w*| for (?:the|your) \w+)*"
    r"|(?:that was |very |that is |thats )?(?:great|helpful|perfect|nice|cool|wow|well done)"
    r"|ok(?:ay)?|i see|got it|understood": "You are welcome. Ask on.",
    r"(?:good)?bye(?: bye)?|see you(?: later| soon)?|good night|farewell": "Goodbye.",
    r"(?:and )?(?:who|what) (?:are|r) (?:you|u)|are you (?:an? )?(?:ai|bot|chatbot|robot|human|person"
    r"|real|language model|llm|chatgpt)|what is (?:rustqa|your name)|whats your name"
    r"|(?:and )?what (?:can|do|could) (?:you|u|i) (?:do|ask(?: you)?|say|know|answer)(?: here)?"
    r"|what (?:can|could|should|may) i (?:ask|do)(?: you)?(?: here)?"
    r"|(?:can you |please )?help(?: me)?(?: please)?|how (?:does|do) (?:this|it|you) work"
    r"|how (?:can|could) you help(?: me)?|what is this(?: page| site| thing)?": f"I am rustqa. {_CAN}",
    r"how are you(?: doing)?(?: today)?|how do you do|whats up|how is it going|hows it going": "I am a"
    f" program, and well. {_CAN}",
}
_PATTERNS = {re.compile(pattern): reply for pattern, reply in _REPLIES.items()}
_NOISE = re.compile(r"['’]|[^\w\s]+|_")


def small_talk(question: str, articles: int = 1) -> str | None:
    """The reply to a question that asks nothing of the articles; None if it may."""
    words = " ".join(_NOISE.sub(_blank, question.lower()).split())
    these, them, they = (
        ("the article", "it", "it does") if articles == 1 else ("the articles", "them", "they do")
    )
    for pattern, reply in _PATTERNS.items():
        if pattern.fullmatch(words):
            return reply.format(these=these, them=them, they=they)
    return None


def _blank(match: re.Match[str]) -> str:
    return "" if match.group() in "'’" else " "
