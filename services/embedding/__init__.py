"""The embedding service: what the network sees in an image, as category probabilities and a vector of unit length."""

import os

# Read when grpc is imported: what goes wrong is said in the service's own log, not by gRPC's C++ one.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
