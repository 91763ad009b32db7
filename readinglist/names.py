"""What a file may be called."""

from __future__ import annotations

import re
import sys

from readinglist.dependencies import is_installed_module

SNAKE_CASE = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
SLUG = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")


def snippet_name_problem(name: str) -> str:
    """What is wrong with the name of a snippet; empty if nothing is."""
    if not SNAKE_CASE.match(name):
        return f"a snippet's name is its concept in snake_case, as in lstm_step; found '{name}'"
    if name in sys.stdlib_module_names or is_installed_module(name):
        found = f"'{name}' is the name of a module, which the file would hide from its neighbours"
        return f"{found}; take another, as in {name}_by_hand"
    return ""


def resource_name_problem(slug: str) -> str:
    """What is wrong with the name of a resource's file, less its ending; empty if nothing is."""
    if not SLUG.match(slug):
        allowed = "small letters, digits and hyphens, as in deep-rnn-speech.md"
        return f"a resource's file is named in {allowed}; found '{slug}.md'"
    return ""
