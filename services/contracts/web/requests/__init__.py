"""The course of a request: connections, deadlines, HEAD, compression, requests in flight; imports problems, no app."""
