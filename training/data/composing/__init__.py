"""Composed and varied images: cut-outs, backgrounds, scenes, motions and light; imports the archives' readers."""
