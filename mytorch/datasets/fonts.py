"""Pen strokes of the digits in the fonts that matplotlib carries.

Every glyph is rasterised, thinned to the line a pen would follow (Zhang and Suen, "A fast parallel
algorithm for thinning digital patterns", 1984) and turned into a map of distances to that line.
`drawing.py` bends such a map and inks what lies within half a pen's width.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mytorch.datasets.idx import DatasetError

if TYPE_CHECKING:
    from matplotlib.ft2font import FT2Font

GLYPH = 56  # a glyph's longer side in cells of its map
MAP = GLYPH + 16  # side of the map: the glyph with a margin
_RASTER = 120  # points per em at which glyphs are first drawn

_ASCII = range(0x30, 0x3A)
# (file without .ttf, code points of 0 .. 9). Validation and test have designs of their own, so
# that no face of theirs is a heavier or slanted brother of one in training.
_FACES: dict[str, list[tuple[str, range]]] = {
    "train": [
        *(
            (f"DejaVu{family}{style}", _ASCII)
            for family in ("Sans", "SansMono")
            for style in ("", "-Bold", "-Oblique", "-BoldOblique")
        ),
        *((f"DejaVuSerif{style}", _ASCII) for style in ("", "-Bold", "-Italic", "-BoldItalic")),
        *((f"STIXGeneral{style}", _ASCII) for style in ("", "Bol", "Italic", "BolIta")),
        ("STIXGeneral", range(0x1D7E2, 0x1D7EC)),  # sans-serif
        ("STIXGeneralBol", range(0x1D7EC, 0x1D7F6)),  # sans-serif bold
        ("STIXGeneral", range(0x1D7F6, 0x1D800)),  # typewriter
        ("STIXNonUniIta", range(0xE1B4, 0xE1BE)),  # sans-serif italic
        ("STIXNonUniBolIta", range(0xE1F6, 0xE200)),  # sans-serif bold italic
        ("STIXNonUni", range(0xE261, 0xE289, 4)),  # old style: 0, 1 and 2 as wide as they are tall
        ("STIXNonUniIta", range(0xE262, 0xE289, 4)),
        ("STIXNonUniBol", range(0xE263, 0xE289, 4)),
        ("STIXNonUniBolIta", range(0xE264, 0xE289, 4)),
    ],
    "validation": [("cmr10", _ASCII), ("cmb10", _ASCII), ("cmmi10", _ASCII)],
    "test": [("cmss10", _ASCII), ("cmtt10", _ASCII)],
}
# By hand one writes a 1 as a bar, a 4 open at the top, a 6 or a 9 with a straight stem. Type has
# no such digits, but other characters of the training fonts have these shapes. For each digit:
# how often such a shape stands for it in training, and the characters.
_HANDWRITTEN: dict[int, tuple[float, str]] = {
    0: (0.3, "Oo"),
    1: (0.85, "|/"),
    2: (0.3, "zZ\u01a7"),  # tone two
    3: (0.4, "\u0417\u01b7\u10d5\u0292"),  # Cyrillic Ze, Ezh, Georgian Vin, small ezh
    4: (0.5, "\u0427\u0447\u0265"),  # Cyrillic Che and che, turned h
    5: (0.2, "Ss\u01bc"),  # tone five
    6: (0.7, "b\u042c\u0431\u0253\u03ed"),  # soft sign, Cyrillic be, hooked b, Coptic shima
    7: (0.3, "\u05da\u02e5\u204a"),  # Hebrew final kaf, tone bar, Tironian et
    8: (0.3, "\u0223\u10d6"),  # ou, Georgian Zen
    9: (0.6, "q\u0261"),  # script g
}


class Strokes(NamedTuple):
    """T stroke maps of one split.

    distance: float32 (T, MAP, MAP), from each cell to the stroke, 1 = the glyph's longer side;
    labels: int64 (T,), the digit; weights: float64 (T,), how often to draw each, sum 1.
    """

    distance: np.ndarray
    labels: np.ndarray
    weights: np.ndarray


@functools.lru_cache(maxsize=3)
def strokes(split: str) -> Strokes:
    """Return the stroke maps of `split`: "train", "validation" or "test".

    The faces of one split occur in no other. Only training has the handwritten shapes.

    Raises:
        DatasetError: if a font is missing.
    """
    fonts = {name: _open(name) for name, _ in _FACES[split]}  # own ones: a font has a state
    maps = {name: font.get_charmap() for name, font in fonts.items()}
    bitmaps, labels, weights = [], [], []
    for digit in range(10):
        shapes = [(name, codes[digit]) for name, codes in _FACES[split]]
        share, characters = _HANDWRITTEN[digit] if split == "train" else (0.0, "")
        faces = [n for n, codes in _FACES[split] if codes is _ASCII and not n.startswith("cm")]
        extra = [(n, ord(c)) for n in faces for c in characters if ord(c) in maps[n]]
        bitmaps += [_bitmap(fonts[name], code) for name, code in shapes + extra]
        labels += [digit] * len(shapes + extra)
        weights += [(1 - share) / len(shapes)] * len(shapes)
        weights += [share / len(extra) for _ in extra]
    scaled = np.array(weights) / np.sum(weights)
    return Strokes(_distances(_thin(np.array(bitmaps))), np.array(labels), scaled)


def _open(name: str) -> FT2Font:
    """Return the font of that name among matplotlib's."""
    # ft2font and not font_manager, whose import searches the whole system for fonts.
    import matplotlib
    from matplotlib.ft2font import FT2Font

    path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf")
    if not path.is_file():
        raise DatasetError(f"{path}: this font of matplotlib's is missing: reinstall matplotlib")
    font = FT2Font(str(path))
    font.set_size(_RASTER, 72)
    return font


def _bitmap(font: FT2Font, code: int) -> np.ndarray:
    """Return one glyph, bool (MAP, MAP), centred, its longer side GLYPH cells."""
    font.clear()
    font.set_text(chr(code))
    font.draw_glyphs_to_bitmap(antialiased=True)
    ink = np.asarray(font.get_image()) > 127
    ink = ink[ink.any(axis=1)][:, ink.any(axis=0)]  # glyphs of one part: this crops, no more
    step = max(ink.shape) / GLYPH
    height, width = (max(1, round(side / step)) for side in ink.shape)
    rows = np.minimum((np.arange(height) + 0.5) * step, ink.shape[0] - 1).astype(int)
    columns = np.minimum((np.arange(width) + 0.5) * step, ink.shape[1] - 1).astype(int)
    result = np.zeros((MAP, MAP), bool)
    top, left = (MAP - height) // 2, (MAP - width) // 2
    result[top : top + height, left : left + width] = ink[np.ix_(rows, columns)]
    return result


def _thin(bitmaps: np.ndarray) -> np.ndarray:
    """Return bool images (T, H, W) thinned to lines one cell wide, connected as before.

    Zhang and Suen: a border cell goes if it has 2 to 6 neighbours in one run and is on the south
    or east side (first pass) or the north or west side (second pass); repeated to the end.
    """
    image = bitmaps.copy()
    around = [
        (0, 1),
        (0, 2),
        (1, 2),
        (2, 2),
        (2, 1),
        (2, 0),
        (1, 0),
        (0, 0),
    ]  # from north, clockwise
    height, width = image.shape[1:]
    while True:
        before = image.copy()
        for first in (True, False):
            padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
            near = [padded[:, y : y + height, x : x + width] for y, x in around]
            count = np.sum(near, axis=0, dtype=np.int8)
            runs = sum((~near[i] & near[(i + 1) % 8]).astype(np.int8) for i in range(8))
            north, east, south, west = near[0], near[2], near[4], near[6]
            if first:
                inside = (north & east & south) | (east & south & west)
            else:
                inside = (north & east & west) | (north & south & west)
            image = image & ~((count >= 2) & (count <= 6) & (runs == 1) & ~inside)
        if np.array_equal(image, before):
            return image


def _distances(lines: np.ndarray) -> np.ndarray:
    """Return float32 (T, MAP, MAP): the distance from each cell to the nearest True cell."""
    axis = np.arange(MAP, dtype=np.float32)
    result = np.empty(lines.shape, np.float32)
    for index, line in enumerate(lines):
        rows, columns = np.nonzero(line)
        vertical = (axis[:, None] - rows) ** 2  # (MAP, points)
        horizontal = (axis[:, None] - columns) ** 2
        result[index] = np.min(vertical[:, None, :] + horizontal[None, :, :], axis=2)
    return np.sqrt(result) / np.float32(GLYPH)
