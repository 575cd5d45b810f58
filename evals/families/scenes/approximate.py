"""A small trained network in the place of threshold units."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hubel.evals.families.scenes.wiring import Term

_HIDDEN, _STEPS, _EXAMPLES, _RATE = 6, 250, 512, 0.05


class Approximation(nn.Module):
    """Terms by a network with one hidden layer: [N, channels] -> [N, terms].

    It is trained, when it is made, on random states of the channels that count, and follows the
    terms nearly, not exactly (FIND's approximated functions; Schwettmann et al. 2023). Terms
    without weight are left at 0.
    """

    def __init__(self, terms: Sequence[Term], seed: int) -> None:
        super().__init__()
        self.width = len(terms)
        self.rows = [row for row, term in enumerate(terms) if term.weight]
        real = [terms[row] for row in self.rows]
        self.channels = sorted({c for term in real for c in (*term.having, *term.lacking)})
        generator = torch.Generator().manual_seed(seed)

        def drawn(*shape: int, scale: float = 1.0) -> nn.Parameter:
            return nn.Parameter(scale * torch.randn(*shape, generator=generator))

        self.inner = drawn(_HIDDEN, len(self.channels))
        self.shift = drawn(_HIDDEN, scale=0.1)
        self.outer = drawn(len(real), _HIDDEN, scale=0.5)
        self.rest = drawn(len(real), scale=0.1)
        on = (torch.rand(_EXAMPLES, len(self.channels), generator=generator) < 0.5).float()
        self._train(on, torch.stack([self._holds(term, on) for term in real], dim=1))
        self.requires_grad_(False)

    def forward(self, on: Tensor) -> Tensor:
        """Channels in 0 to 1 -> terms."""
        out = on.new_zeros(len(on), self.width)
        out[:, self.rows] = self._read(on[:, self.channels])
        return out

    def _read(self, on: Tensor) -> Tensor:
        return (on @ self.inner.T + self.shift).tanh() @ self.outer.T + self.rest

    def _train(self, on: Tensor, wanted: Tensor) -> None:
        optimiser = torch.optim.Adam(self.parameters(), lr=_RATE)
        with torch.enable_grad():
            for _ in range(_STEPS):
                optimiser.zero_grad()
                (self._read(on) - wanted).square().mean().backward()  # type: ignore[no-untyped-call]
                optimiser.step()

    def _holds(self, term: Term, on: Tensor) -> Tensor:
        place = {channel: n for n, channel in enumerate(self.channels)}
        parts = [on[:, place[c]] for c in term.having] + [1 - on[:, place[c]] for c in term.lacking]
        return torch.stack(parts).amin(dim=0)
