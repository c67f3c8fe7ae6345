"""Where the work runs: in this process, in several, or on a Ray cluster; and where its results end.

Read in this order:

- `scoring_engine`: batches of texts scored where `[engine]` says, which is all that the workflows know
- `local_processes`: units of work shared out among the cores of this machine
- `ray_cluster`: a cluster for the time of a command; `ray_reading`: a log read there
- `ray_scoring`, `ray_worker`: texts scored there; `work_dispatch`: tasks and workers that may end at any time
- `part_files`: predictions in part files, which a stopped run goes on from
"""
