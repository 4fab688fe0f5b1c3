"""Places where a signal reads, without a network around them."""

from sidestep.contract import Site


def site(output_shape, classes, image_shape=(1, 8, 8), depth=0.5):
    return Site("here", tuple(output_shape), classes, image_shape, depth)
