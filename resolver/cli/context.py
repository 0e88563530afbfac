"""What all commands share: the global options, and settings made of them when a command wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from resolver.api.settings import Settings


class Context(msgspec.Struct, frozen=True):
    """The global options."""

    catalog: str | None
    config: str | None
    quiet: bool
    verbose: bool

    @property
    def settings(self) -> Settings:
        """Settings by these options. Raises ``InputError`` on a configuration that cannot be used."""
        from resolver.api.settings import load_settings

        return load_settings(self.catalog, self.config)

    def say(self, text: str) -> None:
        """A note for the person, on stderr, unless quiet."""
        if not self.quiet:
            click.echo(text, err=True)


pass_context = click.make_pass_decorator(Context)
