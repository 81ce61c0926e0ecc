"""`python -m services.local.services`: gateway, embedding and index in one process, for `LOOKALIKE_ONE_PROCESS`."""

import os
import sys

# As in `services.index`: before NumPy and FAISS are loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from services.contracts.web.together import run_together
from services.embedding.__main__ import SERVICE as EMBEDDING
from services.gateway.__main__ import SERVICE as GATEWAY
from services.index.__main__ import SERVICE as INDEX
from services.index.__main__ import SWITCH_INTERVAL_S


def main() -> None:
    """Serve until a stop signal. The gateway stops first, because it calls the others."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    run_together([GATEWAY, EMBEDDING, INDEX])


if __name__ == "__main__":
    main()
