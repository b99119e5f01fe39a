"""Everything that can go wrong in a way a person can mend, and what each front end makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

Refusal = Literal["host", "origin", "key", "rate", "size", "slow", "busy", "time"]
"""Why a request is refused: a name that is not the server's, another site's page, no key, too many
of one client, a body too large or too slow, all places taken, work that takes too long."""


_AWAY = (
    "the articles cannot be shown or changed at the moment; who runs this server finds the reason "
    "in its log"
)


class RustQAError(Exception):
    """Base of all errors: the message says in one line what was wrong and what to do.

    `status` is the HTTP status and `exit_code` the process status it becomes; `refusal` is the
    reason under which the server counts it, if it refuses a request before looking at it.
    `instead` is what a visitor of the server reads where the message is for who runs it.
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 2
    refusal: ClassVar[Refusal | None] = None
    instead: ClassVar[str | None] = None

    def __init__(self, message: str, headers: Mapping[str, str] | None = None) -> None:
        """`headers` go with the message over HTTP."""
        super().__init__(message)
        self.headers: Mapping[str, str] = headers or {}


class QuestionError(RustQAError):
    """The question, its history or its options cannot be used as they are."""

    status = 422


class InputError(RustQAError):
    """A file or setting given by the user cannot be used."""

    status = 422


class UnknownDocumentError(RustQAError):
    """No document has this id."""

    status = 404


class CorpusError(RustQAError):
    """An article or the folder of articles cannot be read."""

    instead = _AWAY
    exit_code = 3


class StoreError(RustQAError):
    """The index is missing, damaged, stale or made by another model."""

    status = 503
    instead = _AWAY
    exit_code = 3


class LockedError(StoreError):
    """Another process is making the index; it can be changed when that is done."""

    instead = "the articles are being changed just now; try again in a moment"

    def __init__(self, message: str) -> None:
        super().__init__(message, {"Retry-After": "10"})


class EncoderError(RustQAError):
    """The encoder's files are missing, damaged or of an unknown kind."""

    status = 503
    instead = _AWAY
    exit_code = 4


class NotReadyError(RustQAError):
    """The server is still loading."""

    status = 503


class LoadingError(RustQAError):
    """The articles that are to be served cannot be loaded; the log said why."""

    status = 503

    def __init__(self) -> None:
        super().__init__(_AWAY)


class ArticleError(RustQAError):
    """An article that is to be added cannot be taken as it is."""

    status = 422


class RepeatedArticleError(ArticleError):
    """The article that is to be added is there already."""

    status = 409


class AddingError(RustQAError):
    """An article that is to be added cannot be kept."""

    status = 507


class CitationError(RustQAError):
    """A quotation does not stand in its document: a defect, caught before it leaves."""

    exit_code = 5


class ReaderError(RustQAError):
    """The reader's files are missing or damaged."""

    status = 503
    instead = _AWAY
    exit_code = 4


class FeedbackError(RustQAError):
    """What a person says of an answer cannot be kept."""

    status = 507


class HostError(RustQAError):
    """The request is for a name that the server does not answer to."""

    status = 421
    refusal: ClassVar[Refusal | None] = "host"


class ForeignPageError(RustQAError):
    """A browser sends the request for the page of another site."""

    status = 403
    refusal: ClassVar[Refusal | None] = "origin"


class KeyRequiredError(RustQAError):
    """The request comes without an API key, or with a wrong one."""

    status = 401
    refusal: ClassVar[Refusal | None] = "key"


class RateError(RustQAError):
    """One client asks more often than it may."""

    status = 429
    refusal: ClassVar[Refusal | None] = "rate"


class BodyTooLargeError(RustQAError):
    """The body of the request is larger than what is read."""

    status = 413
    refusal: ClassVar[Refusal | None] = "size"


class BodyTooSlowError(RustQAError):
    """The body of the request does not come."""

    status = 408
    refusal: ClassVar[Refusal | None] = "slow"


class BusyError(RustQAError):
    """More is asked at once than the server can do."""

    status = 503
    refusal: ClassVar[Refusal | None] = "busy"


class AbandonedError(RustQAError):
    """The work is given up, as it took too long or nobody waits for it."""

    status = 503
    refusal: ClassVar[Refusal | None] = "time"
