"""What the examples share: a log that is seen, and work that takes as long as is wanted."""

import argparse
import logging


def show_log() -> None:
    """What is only logged is seen from here on."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")


def pause() -> float:
    """Seconds that each piece of work takes, as `--pause` says."""
    show_log()
    parser = argparse.ArgumentParser()
    parser.add_argument("--pause", type=float, default=0.02, help="seconds that each piece of work takes")
    return float(parser.parse_args().pause)
