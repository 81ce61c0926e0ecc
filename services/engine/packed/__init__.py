"""Keys and payloads of many rows in few blocks of memory: as objects of Python they take three times as much.

It imports nothing else of the project.
"""
