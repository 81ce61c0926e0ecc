"""What two services have in common: shared values, the wire between them, the frame of a web service, images and clients."""
