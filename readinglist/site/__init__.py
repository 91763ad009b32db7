"""What builds the site; mkdocs_hook.py alone knows which generator calls it."""
