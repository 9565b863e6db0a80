"""A folder is shared when another machine finds there what this one has put into it."""

from dataclasses import replace

import pytest
from DiffuFuseMedLib.cluster import shared_folder
from DiffuFuseMedLib.cluster.shared_folder import PREFIX, proofs, why_not_seen
from DiffuFuseMedLib.core.errors import InputError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cases" / "one").mkdir(parents=True)
    return tmp_path / "cases"


@pytest.fixture
def read_only(monkeypatch):
    """A folder that this machine may not write; the superuser may write any."""

    def refuse(self, **_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shared_folder.Path, "touch", refuse)


def test_this_machine_sees_its_own_folder_and_nothing_stays_there(folder):
    with proofs([folder]) as (proof,):
        assert proof.folder == folder
        assert why_not_seen(proof) is None
        assert [path.name for path in folder.iterdir() if path.name.startswith(PREFIX)] == [PREFIX + proof.token]
        (folder / "two").mkdir()  # results come while others start
        assert why_not_seen(proof) is None
    assert {path.name for path in folder.iterdir()} == {"one", "two"}
    assert "does not see the folder cases" in str(why_not_seen(proof))


def test_a_folder_of_the_same_name_and_contents_on_another_disk_is_another_one(folder):
    with proofs([folder]) as (proof,):
        assert "share" in str(why_not_seen(replace(proof, token="0" * 16)))


def test_a_folder_that_is_not_there_is_not_seen(folder, tmp_path):
    with proofs([folder]) as (proof,):
        assert isinstance(why_not_seen(replace(proof, folder=tmp_path / "nowhere")), InputError)


def test_a_folder_that_may_only_be_read_is_known_by_its_names(folder, read_only):
    with proofs([folder]) as (proof,):
        assert proof.token == ""
        assert why_not_seen(proof) is None
        (folder / ".hidden").mkdir()
        assert why_not_seen(proof) is None
        (folder / "two").mkdir()
        assert why_not_seen(proof) is not None
        assert why_not_seen(replace(proof, folder=folder / "nowhere")) is not None


def test_what_is_no_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"), proofs([tmp_path / "nowhere"]):
        pass
