"""Sealing keys, and the folder that services keep their state in."""

import os
from collections.abc import Iterator

from services.kit.fault import Fault
from services.kit.groups import SecretSettings, StateSettings
from services.kit.secrets.sealing import Sealer
from threadline.checkup.finding import Finding, fine, note, wrong

SUBJECT = "sealing keys"


def look_at_keys(settings: SecretSettings, *, used: bool) -> Iterator[Finding]:
    """Whether there are keys, and whether they are any. `used`: whether something is sealed already."""
    new_key = "`threadline secrets new-key` makes one for THREADLINE_SEALING_KEYS"
    if settings.sealing_keys is None:
        what = "there are none, so nothing can be kept sealed: no app can be installed through OAuth"
        yield (
            wrong(SUBJECT, "there are none, and installations are sealed", new_key)
            if used
            else note(SUBJECT, what, new_key)
        )
        return
    try:
        Sealer.of(settings)
    except Fault as fault:
        yield wrong(SUBJECT, str(fault), new_key)
    else:
        yield fine(SUBJECT, "they are keys")


def look_at_state(settings: StateSettings) -> Finding:
    """Whether services could keep what they know."""
    folder = settings.state_folder
    there = next((each for each in (folder, *folder.absolute().parents) if each.exists()), folder)
    if there.is_dir() and os.access(there, os.W_OK):
        return fine("state folder", f"{folder} can be written")
    return wrong("state folder", f"{folder} cannot be written", "set THREADLINE_STATE_FOLDER to a folder of yours")
