"""What tests of the engine share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.nodes import Nodes, cluster


@pytest.fixture(scope="package")
def nodes() -> Iterator[Nodes]:
    """A cluster of two nodes; the root's conftest sees to it that all who use it run one after the other."""
    with cluster(2) as started:
        yield started
