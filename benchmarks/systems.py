"""The systems: which are installed, and with what they compute."""

from __future__ import annotations

from importlib import metadata
from typing import Any

__all__ = ["NAMES", "describe", "missing"]

NAMES = {
    "mytorch": "MyTorch",
    "torch": "torch eager",
    "jax": "JAX jit",
    "autograd": "HIPS autograd",
    "numpy": "hand-written NumPy",
    "floor": "the products alone",
}
_PACKAGE = {"torch": "torch", "jax": "jax", "autograd": "autograd"}


def missing(system: str) -> str | None:
    """Return the package that a system lacks, None if it can run."""
    package = _PACKAGE.get(system)
    if package is None:
        return None
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return package
    return None


def describe(system: str) -> dict[str, Any]:
    """Return version, BLAS, kernels and threads of the system, in the process that runs it."""
    if system == "mytorch":
        import mytorch

        version = mytorch.__version__
    else:
        version = metadata.version(_PACKAGE.get(system, "numpy"))
    return {"version": version, "libraries": [*_libraries(), *_own(system)]}


def _own(system: str) -> list[str]:
    """Return what a library tells of itself that threadpoolctl does not see."""
    if system == "torch":
        import torch

        blas = "MKL" if torch.backends.mkl.is_available() else "no MKL"
        kernels = torch.backends.cpu.get_cpu_capability()
        return [f"torch's own: {blas}, {kernels}, {torch.get_num_threads()} threads"]
    if system == "jax":
        import jax

        return [f"XLA on {jax.devices()[0].device_kind}"]
    return []


def _libraries() -> list[str]:
    """Return what threadpoolctl finds of BLAS and threads, if it is installed."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return ["(install threadpoolctl to see BLAS, kernels and threads)"]
    found = []
    for each in threadpool_info():
        parts = [each["internal_api"], each.get("version") or "", each.get("architecture") or ""]
        found.append(f"{' '.join(filter(None, parts))}, {each['num_threads']} threads")
    return sorted(set(found))
