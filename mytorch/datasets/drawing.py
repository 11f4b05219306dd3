"""Draws strokes as MNIST's images look: slanted, bent, inked with a round pen, boxed and centred.

All pictures of a block are drawn at once. A picture is drawn backwards: each pixel asks, through
the bent page, how far the stroke is. Lengths are in units of the glyph's longer side.
"""

from __future__ import annotations

import numpy as np

from mytorch.datasets.fonts import GLYPH, MAP, Strokes

_BLOCK = 500  # pictures drawn at once: their arrays stay in the processor's cache
_PAGE = 40  # pixels across the page on which the size of the bent digit is measured
_WAVES = 5  # cosines per axis that bend the page
_BOX = 20  # MNIST: the digit fits 20 x 20 pixels, centred by mass in 28 x 28


def draw(strokes: Strokes, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return `count` pictures of randomly chosen strokes and their digits.

    Returns:
        tuple: images uint8 (count, 28, 28), white on black; labels uint8 (count,).
    """
    images = np.empty((count, 28, 28), np.uint8)
    chosen = rng.choice(len(strokes.labels), count, p=strokes.weights)
    for start in range(0, count, _BLOCK):
        block = slice(start, start + _BLOCK)
        images[block] = _draw_block(strokes.distance, chosen[block], rng)
    return images, strokes.labels[chosen].astype(np.uint8)


def _draw_block(distance: np.ndarray, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the pictures (N, 28, 28) of the chosen strokes, each bent and inked at random."""
    count = len(chosen)
    affine, waves_x, waves_y = _affine(count, rng), *_waves(count, rng)
    pen = rng.uniform(0.05, 0.11, (count, 1, 1)).astype(np.float32)  # half its width
    softness = rng.uniform(0.9, 1.6, (count, 1, 1)).astype(np.float32)  # pixels, of the edges

    def look(x: np.ndarray, y: np.ndarray) -> np.ndarray:  # (N, w), (N, h) -> (N, h, w)
        return _sample(distance, chosen, *_bend(x, y, affine, waves_x, waves_y))

    page = ((np.arange(_PAGE, dtype=np.float32) + 0.5) * 2 / _PAGE - 1)[None].repeat(count, 0)
    far = look(page, page)
    ink = far < pen
    mass = ink.sum(axis=(1, 2))
    centre_x = (ink.sum(axis=1) * page).sum(axis=1) / mass
    centre_y = (ink.sum(axis=2) * page).sum(axis=1) / mass
    size = np.maximum(_extent(far.min(axis=2), pen), _extent(far.min(axis=1), pen))
    pixel = (size / _BOX).astype(np.float32)[:, None]  # (N, 1) page units per pixel
    grid = np.arange(28, dtype=np.float32) - 14  # MNIST's centres of mass lie at pixel 14
    x, y = ((c[:, None] + pixel * grid).astype(np.float32) for c in (centre_x, centre_y))
    grey = 0.5 + (pen - look(x, y)) / (pixel[..., None] * softness)
    grey += rng.normal(0, 0.03, grey.shape).astype(np.float32) * (grey > 0)  # uneven ink
    return np.rint(np.clip(grey, 0, 1) * 255).astype(np.uint8)


def _affine(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return random matrices (N, 2, 2): rotation, then slant, then width against height."""
    angle = rng.normal(0, 0.12, count)
    slant = rng.normal(0.08, 0.25, count)  # on average a little to the right
    widen = np.exp(rng.normal(0, 0.12, count) / 2)
    cos, sin = np.cos(angle), np.sin(angle)
    rows = [
        [widen * (cos + slant * sin), widen * (slant * cos - sin)],
        [sin / widen, cos / widen],
    ]
    return np.array(rows, np.float32).transpose(2, 0, 1)


def _waves(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return amplitudes (2, N, _WAVES, _WAVES) of the cosines that shift x and y."""
    k = np.arange(_WAVES)
    spread = 0.09 / (1 + k[:, None] ** 2 + k**2) ** 0.4  # [row wave, column wave]
    spread[0, 0] = 0  # a mere shift
    both = np.stack([spread, spread])
    both[0, 2, 0] += 0.05  # bow of the whole digit
    both[1, 1:3, 0] += 0.03  # upper part against lower part
    both = rng.uniform(0.2, 1.2, (count, 1, 1, 1)) * both  # tidy hands and untidy ones
    return (rng.normal(size=both.shape) * both).astype(np.float32).swapaxes(0, 1)


def _bend(
    x: np.ndarray, y: np.ndarray, affine: np.ndarray, waves_x: np.ndarray, waves_y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return where on the glyph the page's points x (N, w) by y (N, h) lie: two (N, h, w).

    Math: A (x, y) + sum_kl c_kl cos(pi k (y + 1) / 2) cos(pi l (x + 1) / 2).
    """
    k = np.pi / 2 * np.arange(_WAVES, dtype=np.float32)
    across = np.cos(k[:, None] * (x[:, None, :] + 1))  # (N, _WAVES, w)
    down = np.cos((y[..., None] + 1) * k)  # (N, h, _WAVES)
    x, y = x[:, None, :], y[:, :, None]
    ((xx, xy), (yx, yy)) = affine.transpose(1, 2, 0)[..., None, None]
    return xx * x + xy * y + down @ waves_x @ across, yx * x + yy * y + down @ waves_y @ across


def _sample(maps: np.ndarray, chosen: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return maps[chosen] at the points (x, y), each (N, h, w), interpolated between cells."""
    limit = np.float32(MAP - 1.001)
    x = np.clip(x * GLYPH + (MAP - 1) / 2, 0, limit)
    y = np.clip(y * GLYPH + (MAP - 1) / 2, 0, limit)
    column, row = x.astype(np.int32), y.astype(np.int32)
    x -= column
    y -= row
    flat = maps.reshape(-1)
    cell = chosen[:, None, None] * (MAP * MAP) + row * MAP + column
    upper, lower = flat[cell], flat[cell + MAP]
    upper += (flat[cell + 1] - upper) * x
    lower += (flat[cell + MAP + 1] - lower) * x
    return upper + (lower - upper) * y


def _extent(nearest: np.ndarray, pen: np.ndarray) -> np.ndarray:
    """Return the length (N,) of the inked part of an axis, finer than its pixels.

    `nearest` (N, _PAGE) is each line's least distance to the stroke; beyond the last inked line
    ink reaches as far as the pen is wider than that distance, at most one pixel.
    """
    pen = pen[:, :, 0]
    step = 2 / _PAGE
    inked = nearest < pen
    first = inked.argmax(axis=1)
    last = _PAGE - 1 - inked[:, ::-1].argmax(axis=1)
    edge = np.clip(pen - nearest, 0, step)
    each = np.arange(len(pen))
    return (last - first) * step + edge[each, first] + edge[each, last]
