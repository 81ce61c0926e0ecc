"""ServedModels on TensorFlow Serving and the gRPC way to them; imports vision, no web framework."""
