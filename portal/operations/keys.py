"""`python -m portal.operations.keys FILE`: create the key file of the encrypted columns, before the first start."""

import sys
from pathlib import Path

from enrollment.ground.vault import Keys


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m portal.operations.keys FILE", file=sys.stderr)
        return 2
    file = Path(arguments[0])
    try:
        Keys.write_new(file)
    except FileExistsError:
        print(f"{file} is there already, and its keys may be in use: choose another name", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"cannot write {file}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"{file}: keep a copy in a safe place; without it no name and no number can be read again")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
