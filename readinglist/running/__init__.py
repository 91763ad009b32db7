"""Snippets run, stored and judged; a project is opened here with a run of each."""
