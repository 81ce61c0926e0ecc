"""What the services share: domain values, messages, the parts of a web service, images and clients."""
