"""`python -m sentimon`, and the entry point of the installed program."""

import sys

from sentimon.errors import ExitCode


def main() -> None:
    """Run the command line; an interrupt ends it with its exit code also while it is still loading."""
    try:
        from sentimon.cli.app import run

        run()
    except KeyboardInterrupt:
        sys.exit(int(ExitCode.INTERRUPTED))


if __name__ == "__main__":
    main()
