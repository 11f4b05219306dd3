"""Submissions that attack the grader: a wrong solution (Sub adds) that tries to hide it.

Each is the simple solution with a wrong Sub.forward, and code that runs when `mytorch.tensor` is
imported, when Sub.forward runs, or when Sub.backward does; or with further files. None may score
more than the same wrong solution without any attack: BASELINE.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "grader_mutants"))
from mutants import FUNCTIONAL, SIMPLE_SOLUTION, SUB_BACKWARD, SUB_FORWARD, TENSOR  # noqa: E402

SCORES = {"scores": {"Subtraction": 5, "Multiplication": 5, "Division": 5, "Autograd": 25}}
FORGED = json.dumps(SCORES)
RIGHT = "a.data - b.data"


@dataclass(frozen=True)
class Attack:
    """A hostile submission.

    Attributes:
        name: what it does.
        imported, forward, backward: code that runs then; forward may return a result.
        files: further files of the archive.
        steals: it takes a right answer from the machine, which tier 0 does not stop.
        kills: it ends processes; where it can, there is no score at all.
    """

    name: str
    imported: str = ""
    forward: str = ""
    backward: str = ""
    files: dict[str, str] = field(default_factory=dict)
    steals: bool = False
    kills: bool = False

    def contents(self) -> dict[str, bytes]:
        """Return the submission's files."""
        found = {
            path.relative_to(SIMPLE_SOLUTION).as_posix(): path.read_text()
            for path in sorted(SIMPLE_SOLUTION.rglob("*.py"))
        }
        wrong = f"{body(self.forward)}return tensor.Tensor(a.data + b.data)"
        functional = found[FUNCTIONAL].replace(SUB_FORWARD, wrong)
        found[FUNCTIONAL] = functional.replace(SUB_BACKWARD, body(self.backward) + SUB_BACKWARD)
        found[TENSOR] = found[TENSOR].replace(
            '"""Tensor: an array that remembers how it was made."""\n',
            textwrap.dedent(self.imported),
            1,
        )
        return {name: text.encode() for name, text in {**found, **self.files}.items()}

    def pack(self, folder: Path) -> None:
        """Write the archive."""
        with tarfile.open(folder / f"{self.name.replace(' ', '-')}.tar", "w") as tar:
            for name, content in self.contents().items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


def body(code: str) -> str:
    """Return code as it stands in a method, with the rest of the line's place after it."""
    lines = textwrap.dedent(code).strip("\n")
    return textwrap.indent(lines, " " * 8).lstrip() + "\n        " if lines else ""


BASELINE = Attack("a wrong solution without an attack")
