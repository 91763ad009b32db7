"""Parts of all snippets, to be run on different machines. Their caches are merged by copying."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Shard:
    """The part `number` of `total`, counted from 1."""

    number: int
    total: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """A shard from `1/4`. Raises ArgumentTypeError for anything else."""
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            message = f"'{text}' is not a shard; write K/N with 1 <= K <= N, as in 1/4"
            raise argparse.ArgumentTypeError(message)
        return cls(int(match[1]), int(match[2]))

    def of(self, names: Sequence[str]) -> list[str]:
        """This shard's names. They hang on the names alone: machines need not agree first."""
        return sorted(names)[self.number - 1 :: self.total]
