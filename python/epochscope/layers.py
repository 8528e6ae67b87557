"""Which modules of a network are its layers, what they are called, and how their units lie in their output."""

import re

#: Modules without children whose class name has one of these put out activations.
_ACTIVATION = re.compile(r"relu|gelu|silu|swish|mish|sigmoid|tanh|softplus|elu|glu$", re.IGNORECASE)
#: Outputs that are never negative and exactly 0 when off.
_RECTIFIER = re.compile(r"^(relu|relu6|squaredrelu|relusquaredactivation)$", re.IGNORECASE)
#: Ends of the range; outside of these a unit is saturated.
_RANGES = {"tanh": (-0.99, 0.99), "sigmoid": (0.01, 0.99)}
#: Wrappers of whole models add these parts to the names of everything below.
_WRAPPERS = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}


class Layer:
    """A module under its name. `parameters`: its own ones, which are spoken of together."""

    def __init__(self, name, module):
        self.name, self.module = name, module
        own = module.parameters(recurse=False)
        # of a sharded one all elements may lie on other ranks
        self.parameters = [p for p in own if p.is_floating_point() and local(p).numel()]
        kind = type(module).__name__
        self.activation = not any(module.children()) and bool(_ACTIVATION.search(kind))
        self.rectifier = bool(_RECTIFIER.match(kind))
        self.range = next((r for word, r in _RANGES.items() if kind.lower() == word), None)
        self.convolution = len(own_shape) - 2 if (own_shape := _weight_shape(module)) and len(own_shape) > 2 else 0

    def frozen(self, trained):
        """Whether none of its parameters is trained. `trained`: ids of the optimiser's parameters, None if unknown."""
        return not any(p.requires_grad and (trained is None or id(p) in trained) for p in self.parameters)


def sharded(tensor):
    """Whether it is a DTensor (FSDP2, tensor parallel): most of what is asked of one waits for all ranks."""
    return hasattr(tensor, "to_local")


def local(tensor):
    """The tensor, or of a sharded one the part that lies here."""
    return tensor.to_local() if sharded(tensor) else tensor


def has_shards(model):
    """Whether parameters lie on several ranks: passes through the model need all of them."""
    return any(map(sharded, model.parameters())) or any(
        type(module).__name__ == "FullyShardedDataParallel" for module in model.modules())


def _weight_shape(module):
    weight = getattr(module, "weight", None)
    return tuple(weight.shape) if hasattr(weight, "shape") and "Conv" in type(module).__name__ else ()


def unwrap(model):
    """The module itself below torch.compile, DataParallel and DistributedDataParallel."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if inner is None and type(model).__name__ in ("DataParallel", "DistributedDataParallel"):
            inner = model.module
        if inner is None:
            return model
        model = inner


def plain_name(name):
    """A name without the parts that wrappers add: it is the same with and without them."""
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)


def find(model, only=None):
    """Layers in the order in which the model registers them: modules with parameters of their own, and activations.

    `only`: a function of name and module that says which of them to follow.
    """
    found, names = [], set()
    for name, module in model.named_modules():
        layer = Layer(plain_name(name) or type(module).__name__.lower(), module)
        if layer.name in names or not (layer.parameters or layer.activation):
            continue
        if only is None or only(layer.name, module):
            names.add(layer.name)
            found.append(layer)
    return found


def unit_axis(shape, planes):
    """Which axis of an output counts the units. Channels come second in images and volumes; three axes are
    [batch, token, unit] unless the model convolves sequences (`planes` = 1), which are [batch, channel, place]."""
    if len(shape) >= 4 or (len(shape) == 3 and planes == 1):
        return 1
    return len(shape) - 1
