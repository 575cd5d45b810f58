"""What was asked and answered, and how well a form explains it, in nats."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Relative error below which an answer without noise counts as met exactly.
EXACT = 1e-6
#: Nats for a run of answers that the form does not explain (its two ends, and what is inside).
RUN = 12.0
#: Nats per parameter and per operator of a form.
PARAMETER, OPERATOR = 3.0, 1.2
#: Nats more, under noise, for a frequency or a place of a jump: one of hundreds fits a little.
CHOICE = 2.5
#: Angular frequencies of the periodogram.
FREQUENCIES = np.concatenate([np.linspace(0.004, 0.05, 16), np.arange(0.058, 64, 0.01)])


@dataclass
class Data:
    """Answers where the function is defined, sorted by input.

    Attributes:
        x: Inputs, shape (n,).
        y: Outputs, shape (n,).
        sigma: Standard deviation of the noise; 0 if a repeated question gets the same answer.
        undefined: Inputs without an output, shape (m,).
    """

    x: Array
    y: Array
    sigma: float = 0.0
    undefined: Array = field(default_factory=lambda: np.zeros(0))
    _peaks: Array | None = None

    def __post_init__(self) -> None:
        order = np.argsort(self.x, kind="stable")
        self.x, self.y = self.x[order], self.y[order]
        middle = float(np.median(self.y))
        typical = float(np.median(np.abs(self.y - middle)))
        large = float(np.quantile(np.abs(self.y - middle), 0.98))
        self.unit = max(typical, 1e-3 * large) or float(np.std(self.y)) or abs(middle) or 1.0
        if self.sigma > 0:
            self.unit = max(self.unit, self.sigma)
            self.w = np.full(len(self.x), 1 / self.unit)
            self.floor = self.sigma / self.unit
        else:
            self.w = 1 / (0.5 * np.abs(self.y) + self.unit)
            self.floor = EXACT
        spread = np.abs(self.y - middle) * self.w
        self.run = RUN if self.sigma == 0 else 4 * RUN
        self.reach = float(np.log(2 * max(float(spread.max()), 0.5) + 1))

    def only(self, mask: Mask) -> Data:
        """The part of the answers where the mask is true."""
        return Data(self.x[mask], self.y[mask], self.sigma, self.undefined)

    def peaks(self) -> Array:
        """The most telling angular frequencies of the outputs (raw, without trend, squashed)."""
        if self._peaks is None:
            self._peaks = shortlist(self.x, self.y * self.w / self.w.max(), self.unit)
        return self._peaks

    def cost(self, predicted: Array, undefined: Array | None = None) -> tuple[float, float, Mask]:
        """How long the answers are, given a form's predictions.

        Args:
            predicted: Shape (n,), nan where the form is undefined.
            undefined: The form's values where the function is undefined, shape (m,).

        Returns:
            Nats (lower is better), the scale of the residuals in units of `unit`, and which answers
            the form explains.
        """
        z = np.abs((self.y - predicted) * self.w)
        z = np.where(z < 1e9, z, 1e9)  # Also where it is undefined; squares must not overflow.
        ordered = np.sort(z)
        squares = np.cumsum(ordered**2)
        best, limit = (np.inf, 1.0), 0.0
        for share in (0.5, 0.75, 1.0):
            typical = float(ordered[int(share * (len(z) - 1))])
            scale = max(self.floor, typical * (1.5 if share < 1 else 0.5))
            for _ in range(4):
                count = int(np.searchsorted(ordered, 4.5 * scale, side="right"))
                if count < 3:
                    break
                scale = max(self.floor, float(np.sqrt(squares[count - 1] / count)))
            count = int(np.searchsorted(ordered, 4.5 * scale, side="right"))
            nats = count * (np.log(scale) + 0.92)
            nats += float(squares[count - 1]) / (2 * scale**2) if count else 0.0
            nats += (len(z) - count) * self.reach + self.run * runs(z > 4.5 * scale)
            if nats < best[0]:
                best, limit = (nats, scale), 4.5 * scale
        if undefined is not None and len(undefined):
            wrong = float(np.isfinite(undefined).mean())
            best = (best[0] + 4 * len(undefined) * wrong, best[1])
        return best[0], best[1], z <= limit


def runs(mask: Mask) -> int:
    """Stretches of true values."""
    return int(np.sum(mask[1:] & ~mask[:-1]) + (mask[0] if len(mask) else 0))


def shortlist(x: Array, y: Array, unit: float, keep: int = 8) -> Array:
    """Peaks of the periodogram (Lomb 1976; inputs need not be evenly spaced).

    Args:
        x: Inputs, shape (n,).
        y: Outputs, shape (n,).
        unit: Their usual size, above which they are squashed.
        keep: Peaks for each version of the outputs.
    """
    line = np.polyfit(x, y, 1) if len(x) > 2 else np.zeros(2)
    flat = y - np.polyval(line, x)
    typical = float(np.median(np.abs(flat))) or unit
    versions = np.stack([y - y.mean(), flat, np.tanh(flat / (2 * typical))], axis=1)
    versions -= versions.mean(0)
    # Points crowd where clusters were asked: weigh them by the room that they have.
    room = np.minimum(np.gradient(x) if len(x) > 1 else np.ones(1), 4) + 0.05
    phase = FREQUENCIES[:, None] * x[None, :]
    power = np.zeros((len(FREQUENCIES), versions.shape[1]))
    for wave in (np.sin(phase), np.cos(phase)):
        wave -= (wave @ room / room.sum())[:, None]
        power += (wave @ (versions * room[:, None])) ** 2 / (wave**2 @ room + 1e-9)[:, None]
    found: list[float] = []
    for column in power.T:
        local = np.r_[True, column[1:] >= column[:-1]] & np.r_[column[:-1] >= column[1:], True]
        order = np.argsort(-np.where(local, column, -1))[:keep]
        found += [float(FREQUENCIES[n]) for n in order]
    return np.unique(np.round(found, 6))
