"""`python -m aios`: the same as the command `aios`."""

from aios.cli import main

if __name__ == "__main__":
    main()
