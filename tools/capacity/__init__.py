"""Computes how many machines a catalogue needs, from measured costs; of the services it imports the domain alone."""
