"""Turns snippets and resource pages into the site. Knows nothing of recurrent networks."""
