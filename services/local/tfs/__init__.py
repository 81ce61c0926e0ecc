"""A stand-in for TensorFlow Serving: the same gRPC services over the same SavedModel directories, for use without Docker.

It is started with TensorFlow Serving's own flags: `python -m services.local.tfs --model_name fashion --model_base_path
models/fashion --port 8500`, or with `--model_config_file` for several models. What it implements: PredictionService/Predict, ModelService/GetModelStatus and
/HandleReloadConfigRequest, the REST status of a model, version directories, policies and labels, online batching.
"""

import os

# Read when grpc is imported: what goes wrong is said in our own words, not by gRPC's C++ log.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
