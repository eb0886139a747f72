"""The QR symbol of `templates.certificate.qr`, the same module for module, in a tenth of the time.

`qrcode` gives everything that is the same for two symbols of one version: the fixed modules, the mask and the
block sizes. What is left, packing bits and Reed-Solomon, is table look-ups (ISO/IEC 18004, 7.4 to 7.7).
"""

import itertools
from functools import lru_cache
from typing import Any

import numpy as np
import qrcode
from qrcode import base

from templates.certificate import qr

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_PAIRS = {
    first + second: f"{45 * high + low:011b}"
    for (high, first), (low, second) in itertools.product(enumerate(_LETTERS), repeat=2)
}
_SINGLES = {letter: f"{value:06b}" for value, letter in enumerate(_LETTERS)}
_PADDING = 0b11101100, 0b00010001


def symbol(segments: tuple[str, ...]) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Dark modules without the quiet zone, square; equal to `qr.qr_matrix`. Raises QrTooLongError."""
    version, level = qr.symbol_size(segments)
    return _frame(version, level).fill(_bits(segments, version))


def _bits(segments: tuple[str, ...], version: int) -> str:
    out: list[str] = []
    for segment in segments:
        if qr.is_alphanumeric(segment):
            out += ("0010", f"{len(segment):0{9 if version < 10 else 11}b}")
            out += (_PAIRS[segment[at : at + 2]] for at in range(0, len(segment) - 1, 2))
            if len(segment) % 2:
                out.append(_SINGLES[segment[-1]])
        else:
            out += ("0100", f"{len(segment):0{8 if version < 10 else 16}b}")
            out += (f"{byte:08b}" for byte in segment.encode("ascii"))
    return "".join(out)


@lru_cache(maxsize=32)
def _frame(version: int, level: int) -> "_Frame":
    return _Frame(version, level)


class _Frame:
    """Everything fixed about the symbols of one version and level."""

    def __init__(self, version: int, level: int) -> None:
        blocks = base.rs_blocks(version, level)
        self._sizes = [block.data_count for block in blocks]
        self._check_count = blocks[0].total_count - blocks[0].data_count
        self._capacity = sum(self._sizes)
        self._tables = {size: _remainders(size, self._check_count) for size in set(self._sizes)}
        light, dark = (_drawn(version, level, [fill] * sum(b.total_count for b in blocks)) for fill in (0, 255))
        self._light = light
        side = light.shape[0]
        self._places = np.array([place for place in _way(side) if light.flat[place] != dark.flat[place]])
        # Codewords are taken from the blocks in turn, the longer blocks' last ones at the end.
        starts = list(itertools.accumulate(self._sizes, initial=0))
        self._order = np.array(
            [
                starts[block] + at
                for at in range(max(self._sizes))
                for block, size in enumerate(self._sizes)
                if at < size
            ]
        )

    def fill(self, bits: str) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        words = self._words(bits)
        checks, at = [], 0
        for size in self._sizes:
            table = self._tables[size]
            checks.append(np.bitwise_xor.reduce(table[np.arange(size), words[at : at + size]], axis=0))
            at += size
        stream = np.unpackbits(np.concatenate((words[self._order], np.stack(checks, axis=1).ravel())))
        out = self._light.copy()
        # A version's remainder bits, up to seven, stay as they are.
        out.reshape(-1)[self._places[: len(stream)]] ^= stream.astype(np.bool_)
        return out

    def _words(self, bits: str) -> "np.ndarray[Any, np.dtype[np.uint8]]":
        room = 8 * self._capacity
        if len(bits) > room:
            raise qr.QrTooLongError("the QR text does not fit its symbol")
        bits += "0" * min(4, room - len(bits))
        bits += "0" * (-len(bits) % 8)
        data = int(bits, 2).to_bytes(len(bits) // 8, "big")
        data += bytes(itertools.islice(itertools.cycle(_PADDING), self._capacity - len(data)))
        return np.frombuffer(data, np.uint8)


def _drawn(version: int, level: int, words: list[int]) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    code = qrcode.QRCode(version=version, error_correction=level, border=0, mask_pattern=qr.MASK)
    code.data_cache = words
    code.makeImpl(False, qr.MASK)
    return np.array(code.modules, dtype=np.bool_)


def _way(side: int) -> list[int]:
    """All modules in the order in which data is laid: two columns at a time, from the right, up and down."""
    out = []
    upwards = True
    for right in range(side - 1, 0, -2):
        column = right - 1 if right <= 6 else right
        rows = range(side - 1, -1, -1) if upwards else range(side)
        out += [row * side + column - step for row in rows for step in (0, 1)]
        upwards = not upwards
    return out


def _remainders(size: int, check_count: int) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """[place, value] → the check words of a block of `size` that holds `value` there and is 0 elsewhere."""
    generator = base.Polynomial([1], 0)
    for power in range(check_count):
        generator = generator * base.Polynomial([1, base.gexp(power)], 0)
    factors = [generator[at] for at in range(1, check_count + 1)]
    exp = np.array([base.gexp(power) for power in range(255)] * 2, np.uint8)
    log = np.array([0, *(base.glog(value) for value in range(1, 256))])
    values = np.arange(256)

    def times(row: "np.ndarray[Any, np.dtype[Any]]", factor: int) -> "np.ndarray[Any, np.dtype[np.uint8]]":
        if factor == 0:
            return np.zeros(len(row), np.uint8)
        return np.where(row == 0, 0, exp[log[row] + log[factor]]).astype(np.uint8)

    table = np.zeros((size, 256, check_count), np.uint8)
    # x^check_count mod generator, then times x, place by place.
    state = list(factors)
    for place in range(size - 1, -1, -1):
        for at, factor in enumerate(state):
            table[place, :, at] = times(values, factor)
        head = state[0]
        carried = [int(times(np.array([factor]), head)[0]) for factor in factors]
        state = [after ^ carry for after, carry in zip([*state[1:], 0], carried, strict=True)]
    return table
