"""Models on TensorFlow Serving and their gRPC clients; imports vision, no web framework."""
