"""What is typed: one module a command of `python -m readinglist`, and the rules of `check`."""
