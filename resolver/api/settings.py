"""Where things are on this computer: the catalog, the configuration, the stacks that ship with the program."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from resolver.errors import InputError
from resolver.formats.config import Config, read_config

CONFIG_NAME = "spack-resolver.yaml"
CATALOG_VARIABLE = "SPACK_RESOLVER_CATALOG"


class Settings(msgspec.Struct, frozen=True):
    """The catalog's path, and the configuration with the folder that its relative paths begin at."""

    catalog: Path
    config: Config = msgspec.field(default_factory=Config)
    base: Path = msgspec.field(default_factory=Path.cwd)

    @property
    def stack_folders(self) -> list[Path]:
        """Folders that hold stacks, nearest first: the configuration's, then those that ship with the program."""
        return [*(self.base / folder for folder in self.config.stacks), *shipped_stacks()]


def load_settings(catalog: str | None = None, config: str | None = None) -> Settings:
    """Settings from options, environment and files. Raises ``InputError`` on a configuration that cannot be used."""
    path = Path(config) if config else find_config(Path.cwd())
    loaded = Config() if path is None else _read(path)
    return Settings(catalog_path(catalog), loaded, Path.cwd() if path is None else path.absolute().parent)


def catalog_path(given: str | None) -> Path:
    """The catalog's file: as given, else by ``SPACK_RESOLVER_CATALOG``, else in the user's cache directory."""
    text = given or os.environ.get(CATALOG_VARIABLE)
    if text:
        path = Path(os.path.expanduser(text))  # noqa: PTH111 - leaves the name of an unknown user as it is
        return path / "catalog.sqlite" if path.is_dir() else path
    import platformdirs  # only the default needs it

    return Path(platformdirs.user_cache_dir("spack-resolver")) / "catalog.sqlite"


def find_config(start: Path) -> Path | None:
    """The nearest configuration file from a folder upward."""
    for folder in (start, *start.parents):
        path = folder / CONFIG_NAME
        if path.is_file():
            return path
    return None


def _read(path: Path) -> Config:
    return read_config(read_text(path), str(path))


def read_text(path: Path) -> str:
    """A small text file of the user. Raises ``InputError`` when it cannot be read."""
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read"
        raise InputError(msg, why=str(error), hint="check the path; the file must be UTF-8 text") from None


def shipped_stacks() -> list[Path]:
    """The folder of stacks that ships with the program: inside the package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    return [path for path in (package / "shipped_stacks", package.parent / "stacks") if path.is_dir()][:1]
