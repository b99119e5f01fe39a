"""How the retriever's weights are fitted."""

from __future__ import annotations

import numpy as np

from rustqa.training.retrieval import fit_ranking


def test_fit_ranking_recovers_the_weights_that_ranked() -> None:
    """Lists labelled by a known weighting give that weighting back, up to scale."""
    random = np.random.default_rng(0)
    wanted = np.array([0.6, 0.3, 0.1])
    lists = []
    for _ in range(600):
        features = random.random((8, 3))
        utilities = 20 * features @ wanted + random.gumbel(size=8)
        lists.append((features, utilities == utilities.max(), 1.0))
    fitted = fit_ranking(lists)
    assert np.allclose(fitted / fitted.sum(), wanted, atol=0.05)
