"""Which process of a distributed training this is."""

import os
import sys

#: Set by torchrun, Open MPI, and Slurm's srun. Each is read only if it says that there are several.
_VARIABLES = (
    ("RANK", "WORLD_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
)


def rank():
    """The number of this process, 0 if there is only one. torch is asked only if it is there already."""
    torch = sys.modules.get("torch")
    distributed = getattr(torch, "distributed", None)
    try:
        if distributed is not None and distributed.is_available() and distributed.is_initialized():
            return int(distributed.get_rank())
    except Exception:  # a build of torch without a working distributed package
        pass
    for name, size in _VARIABLES:
        try:
            found = int(os.environ[name])
            if int(os.environ.get(size, "2" if name == "RANK" else "1")) > 1:
                return found
        except (KeyError, ValueError):
            continue
    return 0
