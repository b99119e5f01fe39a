"""Which copies of a collection's shards are not alive."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rustqa.store.qdrant_connection import Connection

if TYPE_CHECKING:
    from qdrant_client import QdrantClient


def missing_replicas(connection: Connection) -> list[str]:
    """What is amiss with the nodes and shards, in a line each; [] on a single machine."""
    status: Any = connection.call(lambda client: client.cluster_status())
    if status.status != "enabled":
        return []
    away = {
        status.peers[peer].uri: peer
        for peer in status.peers
        if status.peers[peer].uri in status.message_send_failures
    }
    wrong = [f"the node {uri} does not answer" for uri in sorted(away)]
    for name in (connection.address.collection, connection.address.documents):
        wrong += connection.call(lambda client: _of(client, name, set(away.values())))  # noqa: B023
    return wrong


def _of(client: QdrantClient, name: str, away: set[str]) -> list[str]:
    config = client.get_collection(name).config.params
    found: Any = client.collection_cluster_info(name)
    places = [
        *((shard.shard_id, shard.state, found.peer_id) for shard in found.local_shards),
        *((shard.shard_id, shard.state, shard.peer_id) for shard in found.remote_shards),
    ]
    alive = Counter(
        shard for shard, state, peer in places if str(state) == "Active" and str(peer) not in away
    )
    wanted = config.replication_factor or 1
    return [
        f"{name}: {alive[shard]} of {wanted} replicas of shard {shard} are alive"
        for shard in range(config.shard_number or 1)
        if alive[shard] < wanted
    ]
