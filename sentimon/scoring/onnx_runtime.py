"""ONNX Runtime, silent: by itself it writes a device id into the user's cache, and reports to its maker."""

from __future__ import annotations

import os
from typing import Any

# Read when the library is loaded, and never after that.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

__all__ = ["ort", "ort_errors", "quantization"]


def quantization() -> Any:
    """Return the module that quantises graphs, which needs onnx."""
    from onnxruntime import quantization as module

    return module
