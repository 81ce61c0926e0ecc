"""The images: the archives' readers, composed scenes and the split into parts; imports the services only."""
