"""Convolutions to replace, and every layer with the settings that are worth a test."""

import inspect

from sidestep import registry
from sidestep.convolution import Convolution

# A layer and its settings; each file has at least one.
LAYERS = [(name, {}) for name in registry.names("layers")] + [
    ("acdc", {"transform": "fast"}),
    ("acdc", {"riffle": False, "signs": False}),
    ("cp", {"dimensions": 2}),
    ("hashed", {"sign": False}),
    ("separable_hashed", {"sign": False, "seed": 3}),
    ("tensor_train", {"dimensions": 4}),
    ("tucker", {"dimensions": 4}),
]
IDS = ["-".join([name, *map(str, settings.values())]) for name, settings in LAYERS]
CONVOLUTIONS = [
    Convolution(8, 8, 3, padding=1),
    Convolution(6, 10, 3, stride=2, padding=1, bias=True),
    Convolution(12, 5, 5, stride=2),
    Convolution(16, 32, 3, stride=2, padding=1),
    Convolution(3, 8, 1, bias=True),
    Convolution(8, 4, 1, stride=2, padding=1),
    Convolution(5, 7, 2, stride=3, padding=2, bias=True),
    Convolution(1, 1, 3, padding=1),
]


def some(sizes):
    """Few of a layer's sizes: both ends and what is between."""
    return sorted({sizes[0], sizes[len(sizes) // 4], sizes[len(sizes) // 2], sizes[-1]})


def call(layer, name, *arguments, **settings):
    """A layer's function with those of the settings that it takes."""
    function = getattr(layer, name)
    known = inspect.signature(function).parameters
    return function(*arguments, **{k: v for k, v in settings.items() if k in known})


def wide_resnet_places():
    """The 24 convolutions of WRN-28-10 that the older work replaced."""
    places = []
    inputs = 16
    for outputs, stride in ((160, 1), (320, 2), (640, 2)):
        places.append(Convolution(inputs, outputs, 3, stride=stride, padding=1))
        places += [Convolution(outputs, outputs, 3, padding=1)] * 7
        inputs = outputs
    return places
