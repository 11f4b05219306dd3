"""Benchmarks: MyTorch beside torch, JAX, HIPS autograd and hand-written NumPy, in one run."""
