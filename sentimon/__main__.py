"""`python -m sentimon`."""

from sentimon.cli.app import main

if __name__ == "__main__":
    main()
