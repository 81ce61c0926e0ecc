"""The messages between services: schemas, encodings and gRPC messages; imports only the domain."""
