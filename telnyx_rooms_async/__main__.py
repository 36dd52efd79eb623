"""Entry point of ``python -m telnyx_rooms_async`` and of the program ``telnyx-rooms``."""

import sys

_EXTRA = {"typer", "rich"}


def main() -> None:
    """Run the command line; without the extra ``cli``, print how to install it and exit with 2."""
    try:
        from telnyx_rooms_async.cli import app  # noqa: PLC0415 - the extra may be missing

        app()
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _EXTRA:
            raise
        sys.stderr.write("the command line needs the extra \"cli\": pip install 'telnyx-rooms-async[cli]'\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
