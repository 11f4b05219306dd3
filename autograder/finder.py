"""Finds a submission's own modules, and never an installed copy of them."""

from __future__ import annotations

from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

PACKAGES = ("mytorch", "hw1", "hw2", "hw3", "hw4")


class SubmissionFinder:
    """Finds `mytorch`, `hw…` and all below them in the submission alone.

    First in `sys.meta_path` it keeps an installed copy, an editable one too, from standing in for a
    module that the submission lacks.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the spec of one of the submission's modules, None for any other module.

        Raises:
            ModuleNotFoundError: the submission lacks it.
        """
        if name.partition(".")[0] not in PACKAGES:
            return None
        spec = PathFinder.find_spec(name, [self.folder] if path is None else path)
        if spec is None:
            what = f"folder {name}/" if path is None else name.replace(".", "/")
            raise ModuleNotFoundError(f"the submission has no {what}", name=name)
        return spec
