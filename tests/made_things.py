"""Named things with the settings that they need, for tests that go over all that are registered."""

# Settings without a default, for things that have some.
NEEDED = {
    ("networks", "mlp"): {"width": 8},
    ("networks", "deep_mlp"): {"width": 8},
    ("networks", "equal_mlp"): {"operations": 20},
    ("networks", "mnist_cnn"): {"channels": 4, "hidden": 12},
    ("networks", "basic_cnn"): {"channels": 4, "hidden": 12},
    ("networks", "dgl_cnn"): {"channels": 4},
    ("networks", "four_layer_cnn"): {"channels": 4},
    ("networks", "vgg11"): {"width": 4},
    ("networks", "vgg11c"): {"width": 4, "hidden": 12},
    ("networks", "vgg13"): {"width": 4},
    ("networks", "vgg16"): {"width": 4},
    ("networks", "vgg19"): {"width": 4},
    ("networks", "evolving"): {"size": 12, "operations": ["add", "multiply", "sine"]},
    ("networks", "wide_resnet"): {"depth": 10, "width": 1, "layer": {"name": "dense"}},
    ("signals", "auxiliary_classifier"): {"head": {"name": "linear"}},
    ("strategies", "blockwise"): {"signal": {"name": "sub_model"}},
    ("strategies", "rounds"): {"edit": {"name": "remove_dead"}, "rounds": 2},
    ("strategies", "size_later"): {"before": 0.5},
    ("strategies", "two_phase"): {"rounds": 2},
    ("gates", "flexible"): {"start": 5.0},
    ("edits", "by_worth"): {"price": 1e-3},
    ("edits", "evolve"): {"prunes": 2, "adds": 3, "candidates": 2},
}
# Residual groups and graphs of operations have no neurons to gate.
UNGATED = ("evolving", "linear", "wide_resnet")


def thing(kind, name):
    return {"name": name, **NEEDED.get((kind, name), {})}
