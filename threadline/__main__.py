"""`threadline`: the command line. Nothing that takes time is imported before Ctrl-C ends it in one line."""

from threadline.interruption import ends_at_once


def main() -> None:
    """Runs a command."""
    with ends_at_once():
        from threadline.command_line import run  # noqa: PLC0415 - it is what takes time
    run()


if __name__ == "__main__":
    main()
