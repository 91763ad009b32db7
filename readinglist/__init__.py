"""Turns snippets and pages into a site; knows nothing of what they are about.

Who may import whom, from the ground up: faults, settings and memory; sources; running; pages; then
site and commands, which never meet. tests/readinglist/test_rooms.py holds it so.
"""
