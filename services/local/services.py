"""`python -m services.local.services`: gateway, embedding and index in one process, for `LOOKALIKE_ONE_PROCESS`."""

import os
import sys

# As in `services.index`: before NumPy and FAISS are loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from services.contracts.web.together import run_together
from services.embedding import __main__ as embedding
from services.gateway import __main__ as gateway
from services.index import __main__ as index


def main() -> None:
    """Serve until a stop signal. The gateway stops first, because it calls the others."""
    sys.setswitchinterval(index.SWITCH_INTERVAL_S)
    run_together([gateway.service(), embedding.service(), index.service()])


if __name__ == "__main__":
    main()
