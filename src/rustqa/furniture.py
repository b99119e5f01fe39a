"""Tells page furniture (link captions, photo lines, bare headlines) from an article's prose."""

from __future__ import annotations

import re

# A headline or caption fits in this; longer text without a full stop is prose that lost it.
_MAX_WORDS = 30

_SENTENCE_END = re.compile(r"""[.!?…:;。！？؟।][\s\d"'”’»›)\[\]*_]*$""")
_LIST_ITEM = re.compile(r"[-*•–]\s|\d{1,2}[.)]\s")
_HEADING = re.compile(r"#{1,6}\s")
_LABEL = re.compile(
    r"""(?:
        related(?:\s(?:video|stories|articles?|links?))? | see\salso | don['’]t\smiss
      | (?:watch|listen|live)(?:\s(?:now|live|again))? | read\s(?:more|also|next|on) | also\sread
      | more(?:\son\sthis)? | explained | fact\sbox | quiz | have\syour\ssay
      | (?:file\s)?(?:photo|image|picture)(?:graph)?s?(?:\sgallery)? | video | gallery | graphic
      | map | caption | credit | podcast | newsletter | timeline | advertisement
      | sponsored(?:\s(?:content|by))? | most\sread | trending | recommended | next\sup
      | in\spictures | from\s(?:the|our)\s(?:archives?|partners)
    )\s*[:|]""",
    re.IGNORECASE | re.VERBOSE,
)
# A credit is a short phrase of its own at the end of the block; prose has such words midway.
_CREDIT = re.compile(
    r"(?:^|[^\w\s]\s*)(?:photo(?:graph)?s?|pictures?|images?|graphics?|video)"
    r"\s(?:by|courtesy|credit)\b(?:\W+\w+){1,6}\W*$"
    r"|^\W?(?:AP|AFP|EPA|Reuters|Getty)(?:\sphoto|/|\simages\W*$)"
    r"|getty\simages\W*$|©|all\srights\sreserved",
    re.IGNORECASE,
)
_SOLICITATION = re.compile(
    r"(?:sign\sup|subscribe|follow\sus|click\shere|tap\shere|log\sin|download\s(?:our|the)\sapp"
    r"|get\sour|join\sour|support\sour)\b",
    re.IGNORECASE,
)
_OUTLET = re.compile(r"\s\|\s[^|.]{1,40}$")
# A teaser asks in one short sentence; a question that somebody asks stands in quotation marks.
_TEASER = re.compile(r"""(?=.{1,90}$)[^.!?"“”]+\?""")
_SCORE = re.compile(r"[A-Z][\w .'’-]* \d{1,3} [A-Z][\w .'’-]* \d{1,3}\b")


def is_furniture(block: str) -> bool:
    """Whether a block is page furniture by what it says, whether or not it ends in a full stop."""
    if not any(char.isalnum() for char in block) or _HEADING.match(block):
        return True
    if len(block.split()) > _MAX_WORDS:
        return False
    return any(
        (
            _LABEL.match(block),
            _CREDIT.search(block),
            _SOLICITATION.match(block),
            _OUTLET.search(block),
            _TEASER.fullmatch(block),
        )
    )


def is_bare_headline(block: str) -> bool:
    """Whether a block is a short line that ends like a headline: without a full stop."""
    return (
        len(block.split()) <= _MAX_WORDS
        and not _LIST_ITEM.match(block)
        and not _SCORE.match(block)
        and not _SENTENCE_END.search(block)
    )
