"""The images: archives, photos, backgrounds, composed scenes and the split into parts; imports the services only."""
