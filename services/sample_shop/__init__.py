"""A drawn catalogue of fashion products for the demo and tests; imports contracts and the stand-in's TensorFlow."""
