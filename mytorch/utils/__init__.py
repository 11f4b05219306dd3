"""Utilities around training (torch.utils)."""
