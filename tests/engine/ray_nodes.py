"""A Ray cluster of several nodes on this machine, in a process of its own that is told what to do by lines.

    python -m tests.engine.ray_nodes NODES

Prints the address; then `kill` ends the newest node, as a machine that loses power, and `add` adds one.
"""

from __future__ import annotations

import contextlib
import sys

from ray.cluster_utils import Cluster

_STORE_BYTES = 80 << 20


def main() -> None:
    """Start the cluster, and do what is asked for until the end of stdin."""
    common = {"object_store_memory": _STORE_BYTES, "include_dashboard": False}
    with contextlib.redirect_stdout(sys.stderr):
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **common})
        nodes = [cluster.add_node(num_cpus=1, **common) for _ in range(int(sys.argv[1]))]
    print(cluster.address, flush=True)
    for line in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            if line.strip() == "kill":
                cluster.remove_node(nodes.pop(), allow_graceful=False)
            else:
                nodes.append(cluster.add_node(num_cpus=1, **common))
        print("done", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
