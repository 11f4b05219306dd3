"""A network that learns to write: it reads a text and predicts each next character.

    python labs/char_rnn.py                                      # under two minutes on 2 cores
    python labs/char_rnn.py --network gru --text FILE --epochs 3

The text is by default the language reference that comes with Python. Nine tenths of it are for
training, the rest is for validation: how many bits the network needs for a character of it, where
one that knows nothing needs log2 of the number of characters. At the end it writes some text.
Source: Graves 2013, arXiv:1308.0850; Karpathy 2015, "The unreasonable effectiveness of recurrent
neural networks".
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import mytorch  # noqa: E402
from hw1.mnist import number  # noqa: E402
from mytorch import nn, optim  # noqa: E402
from mytorch.tensor import Tensor  # noqa: E402

NETWORKS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
EMBEDDING = 64  # numbers that stand for a character
BATCH_SIZE, STEPS = 32, 64  # parts of the text that are read side by side; characters at a time
MAX_NORM = 1.0  # of the gradient, which now and then explodes on its way through time


class CharRNN(nn.Module):
    """Characters -> a vector for each -> a recurrent network -> logits of the next character."""

    def __init__(self, network: str, characters: int, hidden: int, layers: int):
        super().__init__()
        self.embedding = nn.Embedding(characters, EMBEDDING)
        self.network = NETWORKS[network](EMBEDDING, hidden, layers)
        self.head = nn.Linear(hidden, characters)
        self.head.reset_parameters()  # by torch's rule

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Return the logits (T, N, characters) after x (T, N) and the state at its end."""
        output, state = self.network(self.embedding(x), state)
        return self.head(output), state


def windows(codes: np.ndarray) -> list[tuple[Tensor, Tensor]]:
    """Return pairs of (T, N) characters and the ones that follow them.

    The N columns are parts of the text; a column goes on in the next window where it has stopped.
    """
    length = (len(codes) - 1) // BATCH_SIZE
    x, y = (codes[k : k + BATCH_SIZE * length].reshape(BATCH_SIZE, length).T for k in (0, 1))
    return [(Tensor(x[t : t + STEPS]), Tensor(y[t : t + STEPS])) for t in range(0, length, STEPS)]


def train_epoch(
    model: CharRNN, optimizer: Any, schedule: Any, batches: list[tuple[Tensor, Tensor]], name: str
) -> None:
    """Read the text once, and make a step of the optimiser after every window."""
    model.train()
    criterion, state = nn.CrossEntropyLoss(), None
    for x, y in tqdm(batches, desc=name, unit="batch", leave=False, disable=None):
        optimizer.zero_grad()
        logits, state = model(x, state)
        state = detached(state)  # gradients go back to the start of the window and no further
        loss = criterion(logits.flatten(0, 1), y.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), MAX_NORM)
        optimizer.step()
        schedule.step()


def detached(state: Any) -> Any:
    """Return the state, an LSTM's pair or a Tensor, without its history."""
    return tuple(map(detached, state)) if isinstance(state, tuple) else state.detach()


def validate(model: CharRNN, batches: list[tuple[Tensor, Tensor]]) -> float:
    """Return the mean number of bits that the next character needs."""
    model.eval()
    criterion, state, nats, count = nn.CrossEntropyLoss(), None, 0.0, 0
    with mytorch.no_grad():
        for x, y in batches:
            logits, state = model(x, state)
            nats += criterion(logits.flatten(0, 1), y.flatten()).item() * y.numel()
            count += y.numel()
    return nats / count / math.log(2)


def write(model: CharRNN, alphabet: str, start: str, length: int, temperature: float) -> str:
    """Return ``start`` and ``length`` characters drawn one by one; colder is more likely ones."""
    model.eval()
    x, text, state = Tensor(encoded(start, alphabet)[:, None]), start, None  # x: (T, 1)
    with mytorch.no_grad():
        for _ in range(length):
            logits, state = model(x, state)
            x = mytorch.multinomial((logits[-1] / temperature).softmax(-1), 1)  # (1, 1)
            text += alphabet[x.item()]
    return text


def encoded(text: str, alphabet: str) -> np.ndarray:
    """Return the place of each character in the alphabet, which is sorted."""
    return np.searchsorted(list(alphabet), list(text))


# ------------------------------------------------------------------------------ command line


def main() -> int:
    """Train, report, write; return the exit status."""
    args = parse()
    alphabet = "".join(sorted(set(args.text)))
    mytorch.manual_seed(args.seed)
    model = CharRNN(args.network, len(alphabet), args.hidden, args.layers).to(np.float32)
    codes = encoded(args.text, alphabet)
    cut = len(codes) * 9 // 10
    training, validation = windows(codes[:cut]), windows(codes[cut:])
    optimizer = optim.Adam(model.parameters(), args.lr)
    steps = args.epochs * len(training)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, args.lr, steps)
    print(model)
    print(f"{len(codes):,} characters, {len(alphabet)} different: {math.log2(len(alphabet)):.2f} "
          "bits each for who knows nothing", flush=True)  # fmt: skip
    begin = time.perf_counter()
    for epoch in range(1, args.epochs + 1):
        name = f"epoch {epoch}/{args.epochs}"
        train_epoch(model, optimizer, schedule, training, name)
        print(f"{name}: {validate(model, validation):.3f} bits per character in validation, "
              f"{time.perf_counter() - begin:.0f} s", flush=True)  # fmt: skip
    if args.sample:
        print(f"\n{write(model, alphabet, args.start, args.sample, args.temperature)}")
    return 0


def parse() -> argparse.Namespace:
    """Return the arguments; ``text`` is the text itself."""
    parser = argparse.ArgumentParser(
        prog="labs/char_rnn.py", description="Train a recurrent network to write."
    )
    add, whole, real = parser.add_argument, number(int, 1), number(float, 1e-6)
    add("--text", type=Path, metavar="FILE", help="default: Python's language reference")
    add("--network", choices=NETWORKS, default="lstm", help="default: %(default)s")
    add("--hidden", type=whole, default=256, help="size of a state; default: %(default)s")
    add("--layers", type=whole, default=1, help="default: %(default)s")
    add("--epochs", type=whole, default=6, help="default: %(default)s")
    add("--lr", type=real, default=0.005, help="the highest learning rate; default: %(default)s")
    add("--seed", type=number(int, 0), default=0, help="default: %(default)s")
    add("--sample", type=number(int, 0), default=500, metavar="N", help="characters to write")
    add("--start", default="\n", metavar="TEXT", help="what it goes on from; default: a new line")
    add("--temperature", type=real, default=0.7, help="default: %(default)s")
    args = parser.parse_args()
    try:
        args.text = language_reference() if args.text is None else args.text.read_text("utf-8")
    except (OSError, ValueError) as error:
        parser.error(f"cannot read the text: {error}")
    least = 10 * (BATCH_SIZE + 1)
    if len(args.text) < least:
        parser.error(f"the text has {len(args.text)} characters, at least {least} are needed")
    if not args.start or not set(args.start) <= set(args.text):
        parser.error(f"--start must be some characters of the text, not {args.start!r}")
    return args


def language_reference() -> str:
    """Return the chapters that Python's own help() shows."""
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name] for name in sorted(topics))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
