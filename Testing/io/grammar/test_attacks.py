"""What was made to do harm with a header: each is one sentence, at once, and no library of C++ sees any of it."""

import gzip
import struct
import time
import zlib

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.grammar import header_of, voxels
from DiffuFuseMedLib.io.headers import read_complete
from DiffuFuseMedLib.io.image_files import read_volume
from DiffuFuseMedLib.io.label_map import read_label_map
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import as_bytes, little_memory

SUFFIXES = ("mha", "nrrd", "nii")
META = (
    b"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nElementSpacing = 1 1 1\n"
    b"DimSize = 6 5 4\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
)
NRRD = (
    b"NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 6 5 4\n"
    b"space directions: (1,0,0) (0,1,0) (0,0,1)\nendian: little\nencoding: raw\n\n"
)
VOXELS = np.linspace(-1000, 60, 120).astype("<i2").tobytes()


@pytest.fixture
def refused(tmp_path):
    """A function (name, bytes): the sentence that the file is refused with, read in little memory."""

    def read(name, content):
        (tmp_path / name).write_bytes(content)
        with little_memory(), pytest.raises(InputError) as refusal:
            read_volume(tmp_path / name, "CT")
        return str(refusal.value)

    read.folder = tmp_path
    return read


def test_the_headers_that_the_attacks_begin_with_are_harmless(tmp_path):
    for name, content in (("CT.mha", META + VOXELS), ("CT.nrrd", NRRD + VOXELS)):
        (tmp_path / name).write_bytes(content)
        assert read_volume(tmp_path / name).array.ravel()[[0, -1]].tolist() == [-1000, 60]


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"NDims = 3", b"NDims = -1"),
        (b"NDims = 3", b"NDims = 1000000000"),
        (b"NDims = 3", b"NDims = "),
        (b"NDims = 3", b"NDims = 3\nNDims = 3"),
        (b"NDims = 3", b"NDims = 3\nno field"),
        (b"NDims = 3", b"NDims = 3\n = 3"),
        (b"NDims = 3", b"NDims = 3\nndims = 3"),
        (b"NDims = 3\n", b"NDims = 3\r"),
        (b"NDims = 3\n", b""),
        (b"ElementSpacing = 1 1 1\n", b""),
        (b"DimSize = 6 5 4", b"DimSize = 6 5 -4"),
        (b"DimSize = 6 5 4", b"DimSize = 65535 65535 65535"),
        (b"DimSize = 6 5 4", b"DimSize = 6 5 4000"),
        (b"DimSize = 6 5 4", b"DimSize = 99999999999999999999 5 4"),
        (b"MET_SHORT", b"MET_STRING"),
        (b"MET_SHORT", b"MET_SHORT\nElementNumberOfChannels = 1000000000"),
        (b"MET_SHORT", b"MET_SHORT\nCompressedData = True\nCompressedDataSize = -5"),
        (b"MET_SHORT", b"MET_SHORT\nHeaderSize = 99999999"),
        (b"MET_SHORT", b"MET_SHORT\nTransformMatrix = nan 0 0 0 1 0 0 0 1"),
        (b"MET_SHORT", b"MET_SHORT\nTransformMatrix = 0 0 0 0 0 0 0 0 0"),
        (b"MET_SHORT", b"MET_SHORT\nOffset = 1e999 0 0"),
        (b"MET_SHORT", b"MET_SHORT\nComment = " + b"x" * (1 << 17)),
        (b"BinaryData = True", b"BinaryData = False"),
    ],
)
def test_a_metaimage_header_that_no_image_has_is_one_sentence(refused, was, becomes):
    assert was in META
    assert refused("CT.mha", META.replace(was, becomes) + VOXELS).startswith("Given file 'CT.mha'")


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"dimension: 3", b"dimension: -1"),
        (b"dimension: 3", b"dimension: 1000000000"),
        (b"dimension: 3", b"dimension: 3\ndimension: 3"),
        (b"sizes: 6 5 4", b"sizes: 6 5"),
        (b"sizes: 6 5 4", b"sizes: 6 5 0"),
        (b"sizes: 6 5 4", b"sizes: 65535 65535 65535"),
        (b"sizes: 6 5 4", b"sizes: 6 5 4000"),
        (b"type: short", b"type: block\nblock size: 1000000000"),
        (b"endian: little\n", b""),
        (b"encoding: raw", b"encoding: bzip2"),
        (b"encoding: raw", b"encoding: raw\nline skip: 1000000000"),
        (b"encoding: raw", b"encoding: raw\nbyte skip: -7"),
        (b"space directions: (1,0,0) (0,1,0) (0,0,1)\n", b""),
        (b"(1,0,0)", b"(1,0,0,0)"),
        (b"(1,0,0)", b"(nan,0,0)"),
        (b"(1,0,0) (0,1,0)", b"(1,0,0) (1,0,0)"),
        (b"space: left-posterior-superior", b"space dimension: 1000000000"),
        (b"space: left-posterior-superior\n", b"space: left-posterior-superior\r"),
        (b"encoding: raw\n", b"encoding: raw\n" + b"# much\n" * (1 << 18)),
    ],
)
def test_an_nrrd_header_that_no_image_has_is_one_sentence(refused, was, becomes):
    assert was in NRRD
    assert refused("CT.nrrd", NRRD.replace(was, becomes) + VOXELS).startswith("Given file 'CT.nrrd'")


@pytest.mark.parametrize(
    "field",
    [
        (40, "h", -1), (40, "h", 30000), (42, "h", -6), (42, "3h", 32767, 32767, 32767), (72, "h", 64),
        (108, "f", float("nan")), (108, "f", -1e30), (344, "4s", b"ni1\0"), (280, "f", float("inf")),
        (256, "f", float("nan")),
    ],
)  # fmt: skip
def test_a_nifti_header_that_no_image_has_is_one_sentence(refused, a_folder, field):
    content = bytearray(as_bytes(a_folder, "nii"))
    struct.pack_into(f"<{field[1]}", content, field[0], *field[2:])
    assert refused("CT.nii", bytes(content)).startswith("Given file 'CT.nii'")


OUTSIDE = ("/etc/hostname", "../secret.raw", "a/../../secret.raw", "C:\\secret.raw", "..\\secret.raw", "link.raw", "")


@pytest.mark.parametrize("before", ["", " ", "\t", ": "])
def test_voxels_in_a_file_outside_the_folder_are_not_read(tmp_path, before):
    """However the name is written, and over a link too."""
    (tmp_path / "secret.raw").write_bytes(VOXELS)
    case = tmp_path / "case"
    case.mkdir()
    (case / "link.raw").symlink_to(tmp_path / "secret.raw")
    for name in (
        *OUTSIDE,
        "secret.raw:x",
        "%03d.raw 1 4 1",
        "../secret%d.raw 1 4 1",
        "/etc/%d 1 4 1",
        "LIST 2",
        "absent.raw",
    ):
        meta = META.replace(b"LOCAL", before.encode() + name.encode())
        nrrd = NRRD.replace(b"\n\n", f"\ndata file: {before}{name}\n\n".encode())
        for file, content in (("CT.mhd", meta), ("CT.mha", meta + VOXELS), ("CT.nhdr", nrrd), ("CT.nrrd", nrrd)):
            (case / file).write_bytes(content)
            with pytest.raises(InputError, match=r"in a file|no field|lists|several|number|truncated"):
                read_volume(case / file)


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_a_list_of_fewer_or_more_files_than_slices_shows_nothing(tmp_path, count):
    for n in range(5):
        (tmp_path / f"{n}.raw").write_bytes(VOXELS[60 * n : 60 * (n + 1)])
    names = "".join(f"{n}.raw\n" for n in range(count)).encode()
    (tmp_path / "CT.mhd").write_bytes(META.replace(b"LOCAL", b"LIST") + names)
    (tmp_path / "CT.nhdr").write_bytes(NRRD.replace(b"\n\n", b"\ndata file: LIST\n") + names)
    for file in ("CT.mhd", "CT.nhdr"):
        with pytest.raises(InputError, match=rf"of 4 slices that lists {count} files"):
            read_volume(tmp_path / file)


def test_a_list_of_one_file_a_slice_is_read(tmp_path):
    for n in range(4):
        (tmp_path / f"{n}.raw").write_bytes(VOXELS[60 * n : 60 * (n + 1)])
    (tmp_path / "CT.mhd").write_bytes(META.replace(b"LOCAL", b"LIST") + b"0.raw\n1.raw\n2.raw\n3.raw\n")
    np.testing.assert_array_equal(read_volume(tmp_path / "CT.mhd").array.ravel(), np.frombuffer(VOXELS, "<i2"))


@pytest.mark.parametrize("suffix", ["mha", "nrrd", "nii.gz"])
def test_no_bit_of_packed_voxels_can_be_flipped_unseen(tmp_path, suffix):
    """Of a flipped bit somewhere in the packed voxels, their sums among them."""
    random = np.random.default_rng(3)
    image = sitk.GetImageFromArray(random.normal(0, 300, (8, 16, 16)).astype(np.int16))
    path = tmp_path / f"CT.{suffix}"
    sitk.WriteImage(image, str(path), True)
    whole, array = path.read_bytes(), sitk.GetArrayFromImage(image)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read_complete(path)), array)
    start = {"mha": len(whole) - 3000, "nrrd": whole.find(b"\n\n") + 12, "nii.gz": 10}[suffix]
    for place in random.integers(start, len(whole), 60):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << int(random.integers(8))
        path.write_bytes(spoilt)
        with pytest.raises(InputError):
            read_complete(path)
    path.write_bytes(whole[:-1])
    with pytest.raises(InputError, match="truncated"):
        read_complete(path)


def bomb(size, wbits):
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)), packer.flush()])


@pytest.mark.parametrize("name", ["CT.mha", "CT.nrrd", "CT.nii.gz"])
def test_what_unpacks_to_much_more_than_announced_is_stopped(refused, a_folder, name):
    zipped = bomb(1 << 25, zlib.MAX_WBITS | (0 if name.endswith("mha") else 16))
    content = {
        "CT.mha": META.replace(b"MET_SHORT", b"MET_SHORT\nCompressedData = True") + zipped,
        "CT.nrrd": NRRD.replace(b"raw", b"gzip") + zipped,
        "CT.nii.gz": gzip.compress(as_bytes(a_folder, "nii")) + zipped,
    }[name]
    assert "holds more voxels than its header announces" in refused(name, content)


def test_what_announces_more_than_it_can_hold_gets_no_room(refused):
    """Though zlib could pack as much into so little."""
    header = META.replace(b"6 5 4", b"1500 1500 1500").replace(b"MET_SHORT", b"MET_SHORT\nCompressedData = True")
    assert "6.3 GiB of voxels in 2.0 MB" in refused("CT.mha", header + zlib.compress(VOXELS) + bytes(2 << 20))


def test_a_mask_that_packs_into_little_has_room(tmp_path):
    """256 MB of zeros in a quarter of one."""
    path = tmp_path / "GTV.nrrd"
    path.write_bytes(NRRD.replace(b"6 5 4", b"512 512 1024").replace(b"raw", b"gzip"))
    voxels._check_there(header_of(path), path)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [(b"6 5 4", b"6 5 3"), (b"6 5 4", b"6 4 4"), (b"6 5 4", b"5 5 4"), (b"MET_SHORT", b"MET_CHAR")],
)
def test_a_header_that_announces_fewer_voxels_than_are_there_shows_no_other_ones(refused, was, becomes):
    """One flipped bit in a size shears the image."""
    packed = META.replace(b"MET_SHORT", b"MET_SHORT\nCompressedData = True")
    gzipped = NRRD.replace(b"raw", b"gzip")
    for name, header, content in (
        ("CT.mha", META, VOXELS), ("CT.mha", packed, zlib.compress(VOXELS)),
        ("CT.nrrd", NRRD, VOXELS), ("CT.nrrd", gzipped, gzip.compress(VOXELS)),
    ):  # fmt: skip
        nrrd = becomes.replace(b"MET_CHAR", b"int8"), was.replace(b"MET_SHORT", b"short")
        spoilt = header.replace(was, becomes) if name == "CT.mha" else header.replace(nrrd[1], nrrd[0])
        assert spoilt != header
        assert "holds more voxels than its header announces" in refused(name, spoilt + content)


def test_listed_files_that_hold_more_than_a_slice_each_are_refused(refused):
    for n in range(4):
        (refused.folder / f"{n}.raw").write_bytes(VOXELS[60 * n : 60 * (n + 1)])
    listed = META.replace(b"6 5 4", b"6 4 4").replace(b"LOCAL", b"LIST") + b"0.raw\n1.raw\n2.raw\n3.raw\n"
    assert "holds more voxels" in refused("CT.mhd", listed)


def test_a_nifti_of_fewer_slices_than_are_there_is_refused(refused, a_folder):
    content = bytearray(as_bytes(a_folder, "nii"))
    struct.pack_into("<h", content, 46, 3)
    assert "holds more voxels" in refused("CT.nii", bytes(content))
    assert "holds more voxels" in refused("CT.nii.gz", gzip.compress(bytes(content)))


def test_a_few_bytes_after_the_voxels_and_a_chosen_part_of_a_file_are_read(tmp_path):
    for name, content in (
        ("CT.mha", META + VOXELS + b"\n"),
        ("CT.nrrd", NRRD.replace(b"raw", b"gzip") + gzip.compress(VOXELS + b"\n") + bytes(512)),
        ("CT.nhdr", NRRD.replace(b"\n\n", b"\nbyte skip: 240\ndata file: all.raw\n\n")),
        ("CT.mhd", META.replace(b"LOCAL", b"all.raw").replace(b"DimSize", b"HeaderSize = 240\nDimSize")),
    ):
        (tmp_path / "all.raw").write_bytes(VOXELS[::-1] + VOXELS + VOXELS)
        (tmp_path / name).write_bytes(content)
        assert read_volume(tmp_path / name).array.ravel()[[0, -1]].tolist() == [-1000, 60]


@pytest.mark.parametrize("part", [b"", VOXELS[:1]])
def test_a_gzip_of_a_multitude_of_parts_is_stopped(refused, part):
    """What is left of a piece is copied for each of them."""
    content = NRRD.replace(b"raw", b"gzip") + gzip.compress(part) * 100_000 + gzip.compress(VOXELS)
    began = time.process_time()
    assert "truncated or damaged" in refused("CT.nrrd", content)
    assert time.process_time() - began < 2


def test_a_gzip_of_several_parts_with_zeros_between_them_is_read(tmp_path):
    parts = [gzip.compress(VOXELS[n : n + 60]) for n in range(0, 240, 60)]
    (tmp_path / "CT.nrrd").write_bytes(NRRD.replace(b"raw", b"gzip") + bytes(1 << 17).join(parts))
    assert read_volume(tmp_path / "CT.nrrd").array.ravel()[[0, -1]].tolist() == [-1000, 60]


@pytest.mark.parametrize("name", ["a" * 5000, "ring.raw"])
def test_a_name_of_voxels_that_the_system_refuses_is_one_that_is_not_there(refused, name):
    (refused.folder / "ring.raw").symlink_to("ring.raw")
    assert "in a file that is not there" in refused("CT.mhd", META.replace(b"LOCAL", name.encode()))


def test_two_origins_and_one_axis_are_no_image(refused, a_folder):
    content = bytearray(as_bytes(a_folder, "nii"))
    struct.pack_into("<h", content, 40, 1)
    assert "of 1 axes" in refused("CT.nii", bytes(content))
    two = NRRD.replace(b"endian", b"space origin: (1,2,3) (4,5,6)\nendian")
    assert "origin is not three numbers" in refused("CT.nrrd", two + VOXELS)


@pytest.fixture(scope="module")
def whole_images(a_folder):
    return {suffix: as_bytes(a_folder, suffix, suffix == "nrrd") for suffix in SUFFIXES}


@settings(max_examples=120, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_a_header_is_an_image_or_one_sentence(whole_images, a_folder, data):
    suffix = data.draw(st.sampled_from(SUFFIXES))
    content = bytearray(whole_images[suffix])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, 350))
        word = st.sampled_from([b"-1", b"1e9", b"nan", b"\0", b"\r", b"\n\n", b" = ", b": ", b"99999999999", b"LIST"])
        content[place : place + data.draw(st.integers(0, 4))] = data.draw(word | st.binary(max_size=4))
    path = a_folder / f"CT.{suffix}"
    path.write_bytes(content)
    for read in (lambda: read_volume(path, "CT"), lambda: read_label_map(path)):
        try:
            with little_memory():
                read()
        except InputError as refusal:
            assert str(refusal).count("wanted") == 1
