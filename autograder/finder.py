"""Finds a submission's own modules, and never an installed copy of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

PACKAGES = ("mytorch", "hw1", "hw2", "hw3", "hw4")
RULE = "a submission may import Python's own modules, NumPy, tqdm and Matplotlib"


def python_folders() -> list[str]:
    """Return the folders of Python's own modules, without those of installed packages."""
    return [path for path in sys.path if not path.endswith(("site-packages", "dist-packages"))]


class SubmissionFinder:
    """Finds `mytorch`, `hw…` and all below them in the submission alone.

    First in `sys.meta_path` it keeps an installed copy, an editable one too, from standing in for a
    module that the submission lacks. Of other modules it lets through those that the submission
    has in its own folder, Python's own, and the ones that are offered (all, if that is None).
    """

    def __init__(self, folder: str, offered: Iterable[str] | None = None) -> None:
        self.folder = folder
        self.offered = None if offered is None else {*sys.stdlib_module_names, *offered}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the spec of one of the submission's modules, None for one left to others.

        Raises:
            ModuleNotFoundError: the submission lacks it, or may not import it.
        """
        root = name.partition(".")[0]
        own = root in PACKAGES
        if not own and (self.offered is None or root in self.offered):
            return None
        own_places = [self.folder] if own else [self.folder, *python_folders()]
        spec = PathFinder.find_spec(name, own_places if path is None else path)
        if spec is None:
            what = f"folder {name}/" if path is None else name.replace(".", "/")
            why = f"the submission has no {what}" if own else f"there is no {name} here: {RULE}"
            raise ModuleNotFoundError(why, name=name)
        return spec
