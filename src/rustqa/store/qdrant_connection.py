"""The connection to Qdrant: tries again, and elsewhere, what fails for a moment, and says in one
line what fails for good."""

from __future__ import annotations

import json
import logging
import random
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from time import sleep
from typing import TYPE_CHECKING, Any, TypeVar

from rustqa.errors import StoreError
from rustqa.store.address import Address

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models

log = logging.getLogger(__name__)

T = TypeVar("T")

# Rounds over all nodes; before each further one a pause, twice as long as the one before.
_ROUNDS = 6
_PAUSE, _LONGEST_PAUSE = 0.1, 3.0
# Seconds until a node that keeps still counts as away.
_TIMEOUT = 20
_LATER = {408, 429, 500, 502, 503, 504}
_LOCAL = re.compile(r"//(localhost|127\.0\.0\.1|\[::1\]):")


class Connection:
    """The nodes of one Qdrant; what one cannot answer is asked of the next."""

    def __init__(
        self,
        address: Address,
        nodes: Sequence[Callable[[], QdrantClient]],
        wait: Callable[[float], object] = sleep,
    ) -> None:
        """`nodes` open a client each, when it is needed; `wait` waits so many seconds."""
        self.address = address
        self._nodes = nodes
        self._clients: dict[int, QdrantClient] = {}
        self._opening = Lock()
        self._current = 0
        self._wait = wait

    def call(self, work: Callable[[QdrantClient], T]) -> T:
        """What `work` gives, which may be done more than once; raises StoreError."""
        last: Exception | None = None
        for turn in range(_ROUNDS):
            if turn:
                pause = min(_PAUSE * 2 ** (turn - 1), _LONGEST_PAUSE)
                # So that those who failed together do not come back together.
                self._wait(pause * random.uniform(0.5, 1))  # noqa: S311
            for _ in self._nodes:
                place = self._current
                try:
                    return work(self._client(place))
                except Exception as error:
                    if not _passes(error):
                        raise self._told(error) from None
                    last = error
                    log.debug("%s: %s", self.address.urls[place], error)
                    self._current = (place + 1) % len(self._nodes)
        raise self._told(last) from None

    def scroll(
        self,
        collection: str,
        chosen: models.Filter,
        fields: Sequence[str] | bool = True,
        page: int = 64,
    ) -> Iterator[dict[str, Any]]:
        """The payloads of all points chosen, or these fields of them, so many fetched at once."""
        at: Any = None

        def work(client: QdrantClient) -> tuple[list[models.Record], Any]:
            with_payload = fields if isinstance(fields, bool) else list(fields)
            return client.scroll(
                collection, chosen, limit=page, offset=at, with_payload=with_payload
            )

        while True:
            records, at = self.call(work)
            yield from (record.payload or {} for record in records)
            if at is None:
                return

    def close(self) -> None:
        """Lets go of all nodes."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _client(self, place: int) -> QdrantClient:
        with self._opening:
            if place not in self._clients:
                self._clients[place] = self._nodes[place]()
            return self._clients[place]

    def _told(self, error: Exception | None) -> StoreError:
        """What went wrong, in one line, with what to do."""
        at = self.address
        status, reason = _status(error), _reason(error)
        if error is None or _is_away(error):
            return StoreError(
                f"Qdrant at {at.hosts} does not answer; start it, or check the address"
            )
        if status in (401, 403):
            return StoreError(
                f"Qdrant at {at.hosts} refuses the key ({reason}); set RUSTQA_QDRANT_API_KEY"
            )
        if status == 404 or "not found" in reason:
            return StoreError(
                f"no articles at {at}; put some there: rustqa index FOLDER --store {at}"
            )
        if "dimension" in reason:
            return StoreError(
                f"the vectors at {at} have other dimensions than the encoder's; "
                "name the encoder they were made with, or: rustqa index FOLDER --fresh"
            )
        if status is not None:
            return StoreError(f"Qdrant at {at.hosts} cannot do this now ({status}: {reason}); "
                              "see its log")  # fmt: skip
        if isinstance(error, _client_errors()):
            return StoreError(
                f"what answers at {at.hosts} is not the Qdrant expected ({reason}); use Qdrant 1.16"
            )
        raise error


def connect(address: Address, key: str | None = None) -> Connection:
    """The connection to an address, of which nothing is asked yet; raises StoreError if Qdrant's
    client is not installed."""
    try:
        import httpx
        from qdrant_client import QdrantClient
    except ImportError:
        raise StoreError(
            "Qdrant's client is not installed; run: pip install 'rustqa[qdrant]'"
        ) from None
    if key and any(url.startswith("http:") and not _LOCAL.search(url) for url in address.urls):
        log.warning("the key of Qdrant goes over the network unencrypted; use qdrants://")

    def node(url: str) -> Callable[[], QdrantClient]:
        # Over a connection that is kept, Qdrant's server waits with a part of many answers until
        # the part before is acknowledged, 40 ms later. With TLS a new one takes as long.
        kept = None if url.startswith("https:") else 0

        def open_client() -> QdrantClient:
            with warnings.catch_warnings():
                # It is said above, once.
                warnings.filterwarnings("ignore", "Api key is used with an insecure connection")
                # Where it says that texts are encoded there, the client does not look through all
                # that is sent for some to encode here, which takes longer than to send it.
                return QdrantClient(
                    url=url,
                    api_key=key,
                    timeout=_TIMEOUT,
                    limits=httpx.Limits(max_keepalive_connections=kept),
                    check_compatibility=False,
                    cloud_inference=True,
                )

        return open_client

    return Connection(address, list(map(node, address.urls)))


def _client_errors() -> tuple[type[Exception], ...]:
    from qdrant_client.common.client_exceptions import QdrantException
    from qdrant_client.http.exceptions import ApiException

    return ApiException, QdrantException


def _passes(error: Exception) -> bool:
    """Whether it may be gone when tried again or elsewhere."""
    return _is_away(error) or _status(error) in _LATER


def _is_away(error: Exception) -> bool:
    """Whether no node was reached, or it broke off."""
    import httpx
    from qdrant_client.http.exceptions import ResponseHandlingException

    found = error.source if isinstance(error, ResponseHandlingException) else error
    return isinstance(found, httpx.TransportError | OSError)


def _status(error: Exception | None) -> int | None:
    """The HTTP status of the answer, if one came."""
    from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
    from qdrant_client.http.exceptions import UnexpectedResponse

    if isinstance(error, ResourceExhaustedResponse):
        return 429
    return error.status_code if isinstance(error, UnexpectedResponse) else None


def _reason(error: Exception | None) -> str:
    """What Qdrant says of it, in one line."""
    from qdrant_client.http.exceptions import UnexpectedResponse

    text: Any = str(error)
    if isinstance(error, UnexpectedResponse):
        text = error.content.decode(errors="replace")
        try:
            text = json.loads(text)["status"]["error"]
        except (ValueError, KeyError, TypeError):
            text = text or error.reason_phrase
    return " ".join(str(text).split())[:300]
