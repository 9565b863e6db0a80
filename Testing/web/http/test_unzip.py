"""Archives from outside: what is unsafe is refused, and nothing is written outside of their folder."""

import io
import stat
import zipfile

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.web.http.limits import Account, Budget, Limits, TooLargeError
from DiffuFuseMedLib.web.http.unzip import unzip


@pytest.fixture
def unpack(tmp_path):
    """A function (archive as bytes, limits): unpack it; the folder with its files, or the error."""

    def run(data, **limits):
        (tmp_path / "in.zip").write_bytes(data)
        account = Account(Budget(Limits(**limits), tmp_path))
        folder = tmp_path / "out"
        try:
            files = unzip(tmp_path / "in.zip", folder, account)
        finally:
            assert {p.name for p in tmp_path.iterdir()} <= {"in.zip", "out"}
            assert not any(p.is_symlink() for p in tmp_path.rglob("*"))
        assert account.taken == sum(p.stat().st_size for p in files)
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}

    return run


def zipped(entries, method=zipfile.ZIP_DEFLATED):
    """An archive with these names (or ZipInfos) and contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def special(name, mode):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def test_files_come_with_their_folders(unpack):
    inner = zipped([("c", b"1")])
    entries = [
        ("CT/a.dcm", b"A" * 9),
        ("CT/", b""),
        ("CT/sub/b.dcm", b"B"),
        ("inner.zip", inner),
        ("CT/.DS_Store", b"x"),
    ]
    assert unpack(zipped(entries)) == {"CT/a.dcm": b"A" * 9, "CT/sub/b.dcm": b"B", "inner.zip": inner}


def test_names_that_become_the_same_are_told_apart(unpack):
    assert unpack(zipped([("a<.dcm", b"1"), ("a?.dcm", b"2")])) == {"a_.dcm": b"1", "a_-2.dcm": b"2"}


@pytest.mark.parametrize(
    "name", ["../evil.dcm", "a/../../evil.dcm", "/tmp/evil.dcm", "\\evil.dcm", "..\\evil.dcm", "C:evil.dcm", "a\0/../b"]
)
def test_names_that_lead_out_refuse_the_whole_archive(unpack, tmp_path, name):
    info = zipfile.ZipInfo("x" * len(name))
    data = zipped([("good.dcm", b"1"), (info, b"evil")]).replace(info.filename.encode(), name.encode())
    with pytest.raises(InputError, match="lead out of it"):
        unpack(data)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(unpack, kind):
    with pytest.raises(InputError, match="links or devices"):
        unpack(zipped([(special("link", kind | 0o777), b"/etc/passwd")]))


def test_an_encrypted_archive_is_refused(unpack):
    data = bytearray(zipped([("a", b"1")]))
    data[data.index(b"PK\1\2") + 8] |= 1  # the flag in the table of contents
    with pytest.raises(InputError, match="encrypted"):
        unpack(bytes(data))


def test_a_bomb_is_refused_by_its_table_of_contents(unpack, tmp_path):
    with pytest.raises(TooLargeError, match="out of proportion"):
        unpack(zipped([("zeros", bytes(10**6))]), zip_free_bytes=10**5)
    assert not (tmp_path / "out").exists()
    assert len(unpack(zipped([("zeros", bytes(10**6))]), zip_free_bytes=10**6)["zeros"]) == 10**6


def test_a_bomb_that_says_it_is_small_does_not_grow(unpack, tmp_path):
    """What its table of contents promises is where the reading ends."""
    data = bytearray(zipped([("zeros", bytes(10**6))]))
    place = data.index(b"PK\1\2") + 24
    data[place : place + 4] = (10).to_bytes(4, "little")
    with pytest.raises(InputError, match="damaged"):
        unpack(bytes(data), zip_free_bytes=10**5)
    assert sum(p.stat().st_size for p in (tmp_path / "out").iterdir()) <= 10


@pytest.mark.parametrize(
    ("limits", "said"),
    [({"total_bytes": 1999}, "upload limit"), ({"file_bytes": 999}, "one file"), ({"files": 1}, "more than 1 files")],
)
def test_the_limits_of_the_session_hold_inside_an_archive(unpack, limits, said):
    with pytest.raises(TooLargeError, match=said):
        unpack(zipped([("a", bytes(1000)), ("b", bytes(1000))]), **limits)


@pytest.mark.parametrize("damage", ["cut", "no zip", "crc", "empty"])
def test_a_damaged_archive_is_one_sentence(unpack, damage):
    data = bytearray(zipped([("a", b"content")], zipfile.ZIP_STORED))
    data[data.index(b"content")] ^= 1
    broken = {"cut": bytes(data[:-30]), "no zip": b"MZ" * 50, "crc": bytes(data), "empty": b""}[damage]
    with pytest.raises(InputError, match="damaged"):
        unpack(broken)


def test_a_file_and_a_folder_of_one_name_are_refused(unpack):
    with pytest.raises(InputError, match="of the same name"):
        unpack(zipped([("a", b"1"), ("a/b", b"2")]))


def test_escape_sequences_and_turned_names_come_out_printable(unpack):
    names = ("\x1b[2J/CT\x9b\u202e.nii", "CT\x85\u2028.nii", "\x7f\x1b")
    files = unpack(zipped([(name, b"x") for name in names]))
    assert len(files) == len(names)
    assert all(name.isprintable() for name in files)
