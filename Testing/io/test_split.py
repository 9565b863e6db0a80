"""split.json: folds and evaluation crops."""

import json

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.split import Split, read_split

CONTENT = {
    "folds": [["A", "B"], ["C"]],
    "crops": {"A": {"start_kji": [1, 2, 3], "stop_kji": [5, 12, 23]}},
}


@pytest.fixture
def write(tmp_path):
    """A function (text): the path of a split file that holds it."""

    def write_text(text):
        path = tmp_path / "split.json"
        path.write_text(text, encoding="utf-8")
        return path

    return write_text


def test_reads_folds_and_crops(write):
    split = read_split(write(json.dumps(CONTENT)))
    assert split == Split((("A", "B"), ("C",)), {"A": ((1, 2, 3), (5, 12, 23))})
    assert split.names == ("A", "B", "C")


@pytest.mark.parametrize("key", ["folds", "crops"])
def test_folds_or_crops_may_be_left_out(write, key):
    split = read_split(write(json.dumps({k: v for k, v in CONTENT.items() if k != key})))
    assert len(getattr(split, key)) == 0


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[1, 2]", "3", '{"folds": 3}', '{"folds": ["AB", "C"]}', '{"folds": [[1]]}', '{"crops": []}',
        '{"crops": {"A": {"start_kji": [1, 2, 3]}}}', '{"crops": {"A": {"start_kji": 1, "stop_kji": 2}}}',
        '{"crops": {"A": {"start_kji": [1, 2], "stop_kji": [3, 4]}}}',
        '{"crops": {"A": {"start_kji": ["a", 2, 3], "stop_kji": [3, 4, 5]}}}',
    ],
)  # fmt: skip
def test_refuses_what_is_no_split(write, text):
    with pytest.raises(InputError, match=r"^Given the unreadable split split\.json, wanted a JSON file"):
        read_split(write(text))


def test_refuses_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"no file split\.json, wanted .*: pass it with --split\.$"):
        read_split(tmp_path / "split.json")


def test_crops_a_case_with_its_lesion(a_case):
    case = a_case(name="A")
    cut = read_split_of(CONTENT).crop(case)
    assert cut.grid.shape == (4, 10, 20)
    assert cut.grid.origin == pytest.approx([-20 + 3 * 2.5, 30 + 2 * 2.5, 100 + 4])
    np.testing.assert_array_equal(cut.volumes["PET"].array, case.volumes["PET"].array[1:5, 2:12, 3:23])
    np.testing.assert_array_equal(cut.reference_mask.array, case.reference_mask.array[1:5, 2:12, 3:23])


def test_a_case_without_a_crop_stays_whole(a_case):
    case = a_case(name="B")
    assert read_split_of(CONTENT).crop(case) is case


@pytest.mark.parametrize(("start", "stop"), [((0, 0, 0), (99, 9, 9)), ((-1, 0, 0), (5, 9, 9)), ((5, 0, 0), (5, 9, 9))])
def test_refuses_a_crop_outside_the_case(a_case, start, stop):
    with pytest.raises(InputError, match=r"crop .* of A, wanted one inside its 12 x 36 x 32 voxels"):
        Split((), {"A": (start, stop)}).crop(a_case(name="A"))


def read_split_of(content):
    crops = {n: (tuple(c["start_kji"]), tuple(c["stop_kji"])) for n, c in content["crops"].items()}
    return Split(tuple(map(tuple, content["folds"])), crops)


@pytest.mark.parametrize("folds", [[["A", "B"], ["C", "A"]], [["A", "A"]]])
def test_a_case_that_is_named_twice_is_refused(write, folds):
    with pytest.raises(InputError, match=r"the split split\.json, which names A twice, wanted each case in one fold"):
        read_split(write(json.dumps({"folds": folds})))
