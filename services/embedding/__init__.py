"""The embedding service: images → categories, vectors and garments; imports only contracts."""

import os

# Read when grpc is imported: with gRPC's older way to wait for sockets, half as many threads wake for each call.
os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_client,-event_engine_listener")
