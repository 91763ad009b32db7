"""Where the parts of a project are, and what its mkdocs.yml says of the site."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from pydantic import AliasPath, BaseModel, ConfigDict, Field
from yaml_env_tag import construct_env_tag

from readinglist.faults import Fault, Faults, read_text

FILE = "mkdocs.yml"
REMEDY = "free some space, or name another folder in the variable RECURRENT_CACHE"
STATUS = "status.json"  # of a built site: what it knows of its runs


class Settings(BaseModel):
    """What the build and the commands take from mkdocs.yml."""

    model_config = ConfigDict(frozen=True)

    site_name: str = ""
    site_description: str = ""
    site_url: str = ""
    repo_url: str = ""
    nav: list[Any] = []
    # The one file that the build makes of the stylesheets in docs/assets/css.
    stylesheet: str = Field(default="", validation_alias=AliasPath("extra_css", 0))
    # The package whose version the foot of each page tells beside Python's.
    proof_package: str = Field(default="", validation_alias=AliasPath("extra", "proof_package"))

    @property
    def slug(self) -> str:
        """The site's name as a file may be called."""
        return re.sub(r"[^a-z0-9]+", "-", self.site_name.lower()).strip("-") or "site"

    @property
    def owner_url(self) -> str:
        """Below this address is what the project itself keeps; empty if that is not known."""
        return f"{self.repo_url.rstrip('/').rpartition('/')[0]}/" if self.repo_url else ""


class _Loader(yaml.SafeLoader):
    """Reads what MkDocs reads; what names a function of Python is nothing here."""


_Loader.add_constructor("!ENV", construct_env_tag)
_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def read_settings(root: Path) -> Settings:
    """The settings of the project at `root`; without a mkdocs.yml, those of none.

    Raises:
        Faults: the file is not YAML.
    """
    path = root / FILE
    if not path.exists():
        return Settings()
    try:
        return Settings.model_validate(yaml.load(read_text(path), _Loader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Faults([Fault(path, line, f"is not YAML: {error.problem}; mend it")]) from None


def cache_folder(root: Path) -> Path:
    """Where runs are kept: `.cache` in the project, unless RECURRENT_CACHE names another folder."""
    return Path(os.environ.get("RECURRENT_CACHE") or root / ".cache")


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Makes the folder; a full disk or a missing permission is a fault that says what to do."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        message = f"cannot write the cache: {error.strerror or error}; {REMEDY}"
        raise Faults([Fault(folder, 0, message)]) from error
