"""The orthonormal discrete cosine transform (DCT-II) of the last axis, through a real Fourier transform.

Makhoul (1980): the Fourier transform of the even places followed by the odd ones backwards, turned by a
quarter of a step, has the cosine transform's first half as real part and its second half, backwards and
negated, as imaginary part.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional


def matrix(size: int) -> Tensor:
    """The transform as an orthogonal matrix C, size × size: rows are cosines, the inverse is Cᵀ."""
    places = torch.arange(size, dtype=torch.float64)
    cosines = torch.cos(math.pi / size * (places + 0.5) * places[:, None])
    return (_scale(cosines).unsqueeze(1) * cosines).to(torch.get_default_dtype())


def transform(values: Tensor) -> Tensor:
    """C x of every x along the last axis.

    Args:
        values: …×N, in a precision that Fourier transforms know.
    """
    size = values.shape[-1]
    ordered = torch.cat([values[..., ::2], values[..., 1::2].flip(-1)], -1)
    spectrum = torch.fft.rfft(ordered) * _turn(values, -1)
    second = -spectrum.imag[..., 1 : (size + 1) // 2].flip(-1)
    return torch.cat([spectrum.real, second], -1) * _scale(values)


def inverse(values: Tensor) -> Tensor:
    """Cᵀ x of every x along the last axis; `values` as in `transform`."""
    size = values.shape[-1]
    values = values / _scale(values)
    half = size // 2
    second = -values.flip(-1)[..., :half]
    imaginary = torch.cat([torch.zeros_like(values[..., :1]), second], -1)
    spectrum = torch.complex(values[..., : half + 1], imaginary) * _turn(values, 1)
    ordered = torch.fft.irfft(spectrum, n=size)
    middle = (size + 1) // 2
    odd = functional.pad(ordered[..., middle:].flip(-1), (0, size % 2))
    return torch.stack([ordered[..., :middle], odd], -1).flatten(-2)[..., :size]


def mult_adds(size: int) -> int:
    """Of one transform, by convention: N log₂ N, rounded up."""
    return math.ceil(size * math.log2(size))


def _turn(values: Tensor, sign: int) -> Tensor:
    """exp(±iπk/2N) for the first half of the spectrum."""
    size = values.shape[-1]
    angles = torch.arange(size // 2 + 1, dtype=values.dtype, device=values.device)
    angles = angles * (sign * math.pi / (2 * size))
    return torch.complex(torch.cos(angles), torch.sin(angles))


def _scale(values: Tensor) -> Tensor:
    """What makes the transform orthonormal: √(2/N), and √(1/N) for the first; N."""
    size = values.shape[-1]
    scale = torch.full((size,), math.sqrt(2 / size), dtype=values.dtype, device=values.device)
    first = torch.arange(size, device=values.device) == 0
    return torch.where(first, scale / math.sqrt(2), scale)
