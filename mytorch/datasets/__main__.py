"""`python -m mytorch.datasets`: make sure that a data set is there, and say which and where."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mytorch.datasets.families import FAMILIES
from mytorch.datasets.idx import DatasetError
from mytorch.datasets.mnist import obtain


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status: 0, 1 without files, 130 if interrupted."""
    parser = argparse.ArgumentParser(prog="python -m mytorch.datasets", description=__doc__)
    parser.add_argument("set", nargs="?", default="MNIST", choices=FAMILIES, help="which (MNIST)")
    parser.add_argument("--data", metavar="DIR", help="look for the files here first")
    parser.add_argument("--cache", metavar="DIR", default="data", help="keep them here (data)")
    parser.add_argument("--offline", action="store_true", help="do not use the network")
    parser.add_argument("--mirror", metavar="URL", help="a folder with the files, asked first")
    options = parser.parse_args(arguments)
    try:
        cache = Path(options.cache)
        family = FAMILIES[options.set]
        digits, folder = obtain(family, options.data, cache, options.offline, options.mirror)
    except DatasetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the next run goes on from here", file=sys.stderr)
        return 130
    if folder is None:
        advice = "name a folder that can be written to with --cache"
        print(f"error: the files cannot be kept in {cache}: {advice}", file=sys.stderr)
        return 1
    print(f"source: {digits.source}")
    print(f"folder: {folder.resolve()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
