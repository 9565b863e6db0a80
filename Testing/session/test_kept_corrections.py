"""Files of kept corrections: what is in them, how many stay, and where."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.voxels import Voxels
from DiffuFuseMedLib.session.kept_corrections import MOST_DAYS, MOST_FILES, Kept, KeptCorrections, state_folder

MADE = {
    "model": "m",
    "samples": 8,
    "seed": 0,
    "modalities": ["CT"],
    "moved_images": {"PET": [[0.0] * 6, [3.0, 0.0, 0.0, 0.0, 0.0, 0.0]]},
}


@pytest.fixture
def kept():
    mask = np.zeros((3, 4, 5), bool)
    mask[1, 1:3, 2] = True
    return Kept(datetime(2026, 11, 26, 21, 5, tzinfo=UTC), Voxels.of(mask), Voxels.of(~mask), None, True, MADE)


def test_what_is_written_is_read(tmp_path, kept):
    store = KeptCorrections(tmp_path / "a" / "b")
    store.write(store.new_name("f" * 32), kept)
    name, found = store.newest("f" * 32)
    assert found == kept and name.startswith("f" * 32)
    assert store.newest("e" * 32) is None
    store.remove(name)
    assert store.newest("f" * 32) is None


def spoilt(content, **values):
    return json.dumps({**content, **values})


WRONG = {
    "format": {"format": "another"},
    "time": {"at": "2026-11-26T21:05:00"},
    "box": {"lesion": {"shape": [3, 4, 5], "start": [0, 0, 0], "stop": [3, 4, 6], "bits": ""}},
    "bits": {"lesion": {"shape": [3, 4, 5], "start": [0, 0, 0], "stop": [3, 4, 5], "bits": "?"}},
    "numbers": {"lesion": {"shape": [3, 4, 5], "start": [0, 0, 0.5], "stop": [3, 4, 5], "bits": ""}},
    "made": {"made": {**MADE, "seed": "0"}},
    "pose": {"made": {**MADE, "moved_images": {"PET": [[0.0] * 6, [3.0]]}}},
    "poses": {"made": {**MADE, "moved_images": {"PET": [[0.0] * 6]}}},
    "review": {"review": "{}"},
    "lesion": {"lesion": None},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_nobody_wrote_is_refused_in_a_sentence(kept, name):
    with pytest.raises(InputError, match="cannot be read"):
        Kept.from_json(spoilt(json.loads(kept.to_json()), **WRONG[name]))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"format": 1}'])
def test_text_that_is_none_is_refused_in_a_sentence(text):
    with pytest.raises(InputError, match="cannot be read"):
        Kept.from_json(text)


def test_only_so_many_and_none_too_old_stay(tmp_path, kept):
    now = [1e9]
    store = KeptCorrections(tmp_path, lambda: now[0])
    for n in range(MOST_FILES + 3):
        name = store.new_name(f"{n:032d}")
        store.write(name, kept)
        os.utime(tmp_path / name, (1e9 + n, 1e9 + n))
    assert len(list(tmp_path.iterdir())) == MOST_FILES
    assert store.newest(f"{0:032d}") is None
    now[0] += MOST_DAYS * 24 * 3600 + MOST_FILES + 10
    assert store.newest(f"{MOST_FILES:032d}") is None
    assert list(tmp_path.iterdir()) == []


def test_half_a_file_is_never_there(tmp_path, kept, monkeypatch):
    store = KeptCorrections(tmp_path)
    name = store.new_name("f" * 32)
    store.write(name, kept)
    before = (tmp_path / name).read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left"):
        store.write(name, kept)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == before


@pytest.mark.skipif(sys.platform != "linux", reason="the names of Linux")
def test_the_folder_is_the_users_own(monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert state_folder() == Path("/somewhere/diffufusemed/corrections")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert state_folder() == Path.home() / ".local" / "state" / "diffufusemed" / "corrections"
