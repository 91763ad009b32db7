"""Which cells show or play something, to judge from their code."""

from __future__ import annotations

from readinglist.commands.shows import showing


def test_directly_by_a_function_and_never_as_a_program(make_snippet):
    cells = """# %% define
from IPython.display import Audio
import matplotlib.pyplot as plt

def draw(x):
    prepare(x)

def prepare(x):
    plt.subplots()

def main():
    draw(1)

# %% direct
plt.figure()

# %% by_function
draw(2)

# %% sound
Audio([0.0], rate=8000)

# %% nothing
print(draw)

# %% program
if __name__ == "__main__":
    main()"""
    snippet = make_snippet("thing", cells, dependencies=("ipython", "matplotlib"))
    assert [(cell.name, what) for cell, what in showing(snippet)] == [
        ("direct", "show an image"), ("by_function", "show an image"), ("sound", "play a sound"),
    ]  # fmt: skip
