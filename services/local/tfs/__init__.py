"""The stand-in for TensorFlow Serving: the same gRPC services and SavedModel directories; imports only contracts.

It takes TensorFlow Serving's flags: `python -m services.local.tfs --model_name fashion --model_base_path models/fashion
--port 8500`, or `--model_config_file` for several models. It implements PredictionService/Predict,
ModelService/GetModelStatus and /HandleReloadConfigRequest, the REST status of a model, version directories,
policies and labels, and batching.
"""

import os

# Read when grpc is imported: the stand-in reports errors itself, so gRPC's C++ log is disabled. With gRPC's older way
# to wait for sockets, half as many threads wake for each call.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_client,-event_engine_listener")
