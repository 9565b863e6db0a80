"""What was made to do harm with a scene file: each is one sentence, before MRML reads a byte."""

import io
import os
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.scene_files import nodes, prepared_scene
from hypothesis import given, settings
from hypothesis import strategies as st

LIMIT = 1 << 24
VOLUME = '<VolumeArchetypeStorage id="s1" fileName="Data/CT.nrrd" {}/>'


@pytest.fixture(scope="module")
def an_image(tmp_path_factory):
    """A packed NRRD as this program writes it, with a key of its own."""
    path = tmp_path_factory.mktemp("image") / "CT.nrrd"
    image = sitk.GetImageFromArray(np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    image.SetMetaData("Segment0_Name", "lesion")
    sitk.WriteImage(image, str(path), True)
    return path.read_bytes()


@pytest.fixture
def prepared(tmp_path, an_image):
    """A function (nodes, **files): the .mrml that MRML would get of a scene of these nodes with Data/CT.nrrd."""
    (tmp_path / "secret.txt").write_text("secret")

    def prepare(words, files=None):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            text = words if isinstance(words, (bytes, str)) else ""
            whole = text if text.lstrip()[:5] in ("<?xml", "<!DOC") else f"<MRML>{text}</MRML>"
            for name, content in {"x/scene.mrml": whole, "x/Data/CT.nrrd": an_image, **(files or {})}.items():
                archive.writestr(name, content)
        (tmp_path / "sent.mrb").write_bytes(buffer.getvalue())
        folder = tmp_path / "folder"
        folder.mkdir()
        return prepared_scene(tmp_path / "sent.mrb", folder, LIMIT).mrml

    return prepare


def test_what_mrml_gets_was_all_written_anew(prepared, an_image):
    words = f'<Volume name="a &lt;&#10;b"/>{VOLUME.format("centerImage=&quot;0&quot; odd=&quot;1&quot;")}'
    mrml = prepared(words.replace("&quot;", '"'), {"x/Data/other.sh": "echo", "x/Data/r.txt": "not named"})
    root = ElementTree.parse(mrml).getroot()
    assert root[0].get("name") == "a <\nb"
    assert root[1].attrib == {"id": "s1", "fileName": "Data/1.nrrd".replace("1", "0"), "centerImage": "0"}
    assert sorted(p.name for p in mrml.parent.rglob("*") if p.is_file()) == ["0.nrrd", "scene.mrml"]
    written = mrml.parent / "Data" / "0.nrrd"
    assert written.read_bytes() != an_image
    image = sitk.ReadImage(str(written))
    assert sitk.GetArrayFromImage(image).ravel().tolist() == list(range(60))
    assert image.GetMetaData("Segment0_Name") == "lesion"
    assert not (mrml.parent.parent / "came").exists()


OUTSIDE = ("/etc/hostname", "../../secret.txt", "Data/../../../secret.txt", " Data/CT.nrrd", "\tData/CT.nrrd",
           "C:/x.nrrd", ":Data/CT.nrrd", "Data%2f..%2f..%2fsecret.txt", "file:///etc/hostname", "\\\\host\\x.nrrd",
           "Data/none.nrrd", "Data", "%00", "Data/CT.nrrd%0a")  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("key", ["fileName", "fileListMember0", "fileListMember17", "schemaFileName", "uri"])
def test_no_file_outside_the_bundle_is_named(prepared, name, key):
    value = name.replace("\t", "&#9;")
    storage = VOLUME.format(f'{key}="{value}"')
    if key == "fileName":
        storage = storage.replace(' fileName="Data/CT.nrrd"', "", 1)
    with pytest.raises(InputError, match="refers to"):
        prepared(storage)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ('<Volume fileName="Data/CT.nrrd"/>', "refers to files outside"),
        ('<Volume uri="http://example.org"/>', "refers to files outside"),
        ('<TableStorage fileListMember0="Data/CT.nrrd"/>', "refers to files outside"),
        (VOLUME.format('fileListMember0="Data/b.nrrd"'), "several files"),
        ('<TextStorage fileName="Data/CT.nrrd"/>', "another kind"),
        ('<SegmentationStorage fileName="x.seg.vtm"/>', "another kind"),
        ('<ColorTable numcolors="100000000"/>', "too many colors"),
        ('<ColorTable numcolors="-1"/>', "too many colors"),
        ('<ColorTable numcolors="65535"/>' * 5, "too many colors"),
        ('<ColorTableStorage fileName="d.csv"/><ColorTableStorage fileName="e.csv"/>', "too many colors"),
        (VOLUME.format("") * 2, "several nodes read one file"),
        ('<TextStorage fileName="c.csv"/>' * 2, "several nodes read one file"),
        ('<ColorTableStorage fileName="c.csv"/>', "too many colors"),
        ('<VolumeProperty scalarOpacity="2000000000 0 0 1 1"/>', "more points than it holds"),
        ('<VolumeProperty colorTransfer=" 99999999999999999999 0"/>', "more points than it holds"),
        ("<a>" * 200 + "</a>" * 200, "nodes"),
        ("<a/>" * 30_000, "nodes"),
        ('<!DOCTYPE MRML [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><MRML a="&b;"/>', "entities"),
        ("<?xml version='1.0'?><!DOCTYPE MRML SYSTEM 'file:///etc/hostname'><MRML/>", "entities"),
        ("<Volume", "damaged"),
    ],
)
def test_nodes_that_would_have_something_else_read_are_refused(prepared, an_image, words, why):
    files = {"x/Data/b.nrrd": an_image, "x/x.seg.vtm": "vtk", "x/c.csv": "LabelValue,Name\n100000000,a\n"}
    files |= {f"x/{name}.csv": "LabelValue,Name\n0,a\n200000,b\n" for name in "de"}
    with pytest.raises(InputError, match=why):
        prepared(words, files)


@pytest.mark.parametrize(
    "header",
    [
        b"NRRD0004\ndata file: /etc/hostname\n\n",
        b"NRRD0004\r\ndatafile:\tLIST\r\n/etc/hostname\r\n",
        b"NRRD0004\rdata file: /etc/hostname\r\r",
        b"NRRD0004\n" + b"# long\n" * 200_000 + b"data file: /etc/hostname\n\n",
        b" NRRD0004\ntype: short\n\n",
        b"",
    ],
)
def test_no_image_of_a_bundle_names_a_file_elsewhere(prepared, header):
    with pytest.raises(InputError, match="an image that cannot be read"):
        prepared(VOLUME.format(""), {"x/Data/CT.nrrd": header})


def test_a_flipped_bit_in_a_volume_of_a_scene_is_seen(prepared, an_image):
    spoilt = bytearray(an_image)
    spoilt[-12] ^= 4
    with pytest.raises(InputError, match="damaged"):
        prepared(VOLUME.format(""), {"x/Data/CT.nrrd": bytes(spoilt)})


def test_a_bundle_that_unpacks_to_more_than_the_limit_is_not_unpacked(prepared, tmp_path):
    with pytest.raises(InputError, match="GiB"):
        prepared("", {"x/zeros": bytes(LIMIT + 1)})
    assert not list((tmp_path / "folder" / "came").iterdir())


def test_a_volume_rendering_s_functions_are_read(prepared):
    words = '<VolumeProperty scalarOpacity="4 0 0 1 1" colorTransfer="8 0 0 0 0 9.5 1 1 1" specularPower="10"/>'
    assert ElementTree.parse(prepared(words)).getroot()[0].get("scalarOpacity") == "4 0 0 1 1"


def test_images_that_take_more_than_the_limit_together_are_not_all_written(prepared, tmp_path):
    """A kilobyte of a compressed image stands for megabytes in memory, and MRML takes them all."""
    image = sitk.Image((200, 200, 100), sitk.sitkInt16)  # 8 MB
    sitk.WriteImage(image, str(tmp_path / "zeros.nrrd"), True)
    data = (tmp_path / "zeros.nrrd").read_bytes()
    assert len(data) < LIMIT / 100
    words = "".join(f'<VolumeArchetypeStorage fileName="Data/{n}.nrrd"/>' for n in range(3))
    with pytest.raises(InputError, match="whose images take more than"):
        prepared(words, {f"x/Data/{n}.nrrd": data for n in range(3)})
    assert sum(path.stat().st_size for path in (tmp_path / "folder" / "clean").rglob("*.nrrd")) <= LIMIT


def test_a_pipe_is_not_waited_at(tmp_path):
    os.mkfifo(tmp_path / "sent.mrb")
    with pytest.raises(InputError, match="no plain file"):
        prepared_scene(tmp_path / "sent.mrb", tmp_path, LIMIT)


@settings(max_examples=60, deadline=1000)
@given(
    st.lists(st.sampled_from(["<MRML>", "</MRML>", "<a b='", "'/>", "&", "<!", "-->", "]]>", "\0", "é"]) | st.text())
)
def test_any_text_is_nodes_or_one_sentence(parts):
    try:
        nodes.parsed_nodes("".join(parts).encode("utf-8", "replace"))
    except InputError as refusal:
        assert str(refusal).count("wanted") == 1


def test_a_file_of_the_bundle_is_found(tmp_path):
    (tmp_path / "a b.txt").write_text("")
    assert nodes.file_of("a%20b.txt", tmp_path / "scene.mrml") == Path(tmp_path / "a b.txt")
