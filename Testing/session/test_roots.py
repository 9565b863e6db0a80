"""A session opens what lies below its roots, and does not say what lies elsewhere."""

from pathlib import Path

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.session import Roots


@pytest.fixture
def root(tmp_path):
    """A root with a case in it, beside a folder that is none of its."""
    for name in ("root/case", "root-of-another/case"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "root" / "link").symlink_to(tmp_path / "root-of-another")
    return tmp_path / "root"


@pytest.mark.parametrize("path", ["case", ".", "case/../case", "not/there/yet"])
def test_what_lies_below_a_root_may_be_opened(root, path):
    Roots([root]).check(root / path)


@pytest.mark.parametrize(
    "path", ["..", "../root-of-another", "link", "link/case", "case/../../root-of-another", "/etc", "/nowhere", "a\0b"]
)
def test_what_lies_elsewhere_may_not(root, path):
    with pytest.raises(InputError, match="outside the folders that may be opened") as refusal:
        Roots([root]).check(root / path)
    assert "another" not in str(refusal.value) and "nowhere" not in str(refusal.value)


def test_a_root_that_is_no_folder_is_refused(root):
    with pytest.raises(InputError, match="that is no folder"):
        Roots([root / "nothing"])


def test_a_session_with_roots_opens_no_folder_and_no_scene_elsewhere(told, root, sarcoma, monkeypatch):
    monkeypatch.setattr(told, "_roots", Roots([root]))
    told.open(root / ".." / "root-of-another")
    assert "outside the folders" in told.view_state.message.sentence
    assert told.view_state.loading == ""
    assert not told.open_scene(Path("/etc/hostname"))
    assert "outside the folders" in told.view_state.message.sentence
    assert told.case is sarcoma
