"""Threads of torch: with more than one, tests that run beside other work wait for each other's spinning."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
