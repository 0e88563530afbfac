"""The command line: the group of commands, and what becomes of errors."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from resolver.cli.context import Context
from resolver.cli.output import error_document, print_error
from resolver.errors import InputError, ResolverError, did_you_mean

COMMANDS = {
    "bundle": "A mirror of just an environment's binaries, to carry along.",
    "catalog": "Check, pack, copy the catalog, or take sources out of it.",
    "check": "Whether a resolver.lock still holds: its stacks, hashes and sources.",
    "expand": "What a stack definition asks for on a machine.",
    "explain": "Why a spec gets the hash that it gets, or none, and what would help.",
    "facts": "Facts of package recipes, from a checkout of a package repository.",
    "find": "Prebuilt hashes that run on a machine.",
    "lock": "One lockfile for stacks on many machines, made or brought up to date.",
    "machine": "The detected machine, or the names that are known.",
    "matrix": "A CI matrix of stacks and machines.",
    "render": "The environment of one machine out of a resolver.lock, without network.",
    "resolve": "Hashes for every root of a stack, as an environment or a table.",
    "sources": "What is synced.",
    "spec": "What a spec asks for, in plain words, and what matches it.",
    "stacks": "The stacks that are known, and their roots by machine.",
    "sync": "Read sources into the catalog.",
    "urls": "What an environment needs downloaded, with sizes and checksums.",
    "verify": "Are the binaries of an environment, or of a mirror, there and intact?",
}
"""Commands with a line each; a command's module is loaded only when it is called."""


class LazyGroup(click.Group):
    """Loads a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of this name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"resolver.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The list of commands, without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with the nearest command's name in the error."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"there is no command {args[0]!r}; {did_you_mean(args[0], COMMANDS)}known are {', '.join(COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--catalog", metavar="PATH", help="The catalog's file. [default: in the user's cache directory, or SPACK_RESOLVER_CATALOG]")
@click.option("--config", metavar="FILE", help="The configuration. [default: spack-resolver.yaml, here or above]")
@click.option("-q", "--quiet", is_flag=True, help="No notes and no progress on stderr.")
@click.option("-v", "--verbose", is_flag=True, help="More on stderr; a traceback for internal errors.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True, help="Colour on the terminal.")
@click.version_option(package_name="spack-resolver")
@click.pass_context
def main(ctx: click.Context, catalog: str | None, config: str | None, quiet: bool, verbose: bool, color: str) -> None:
    """Choose prebuilt Spack binaries for a machine, without Spack.

    \b
    Examples:
      spack-resolver sync stacks
      spack-resolver find py-torch --arch linux-ubuntu24.04-zen4 --libc glibc@2.39
      spack-resolver resolve ml-linux-x86_64-cpu --machine github-ubuntu-24.04 -o env
    """
    ctx.color = {"always": True, "never": False}.get(color)
    ctx.obj = Context(catalog, config, quiet=quiet, verbose=verbose)


def run(arguments: list[str] | None = None) -> int:
    """Run the program and return its exit code; nothing that goes wrong ends in a traceback."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        result: Any = main.main(words, prog_name="spack-resolver", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except ResolverError as error:
        return _failed(error, words)
    except OSError as error:
        hint = "check the names that were given, permissions and free space"
        return _failed(InputError("a file cannot be used", why=str(error), hint=hint), words)
    except Exception as error:  # noqa: BLE001 - the last resort of the program
        return _internal(error, words)


def _failed(error: ResolverError, words: list[str]) -> int:
    if "--json" in words:
        click.echo(error_document(error))
    else:
        print_error(error)
    return error.exit_code


def _internal(error: Exception, words: list[str]) -> int:
    if "-v" in words or "--verbose" in words:
        import traceback

        traceback.print_exc()
    hint = "this is a fault of spack-resolver: please report it with the command; -v before the command shows where it happened"
    return _failed(ResolverError("internal error", why=f"{type(error).__name__}: {error}", hint=hint), words)
