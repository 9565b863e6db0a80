"""What MRML wrote of a scene is whole, or it is an OSError: a text, a table, compressed voxels, the .mrml."""

import numpy as np
import pytest
from DiffuFuseMedLib.io.nrrd import write_nrrd
from DiffuFuseMedLib.mrml import tables
from DiffuFuseMedLib.mrml.written import check_scene, check_written

DIFFERS = "reads back other than it was written"


@pytest.fixture
def written(a_scene, a_volume_node, a_grid, tmp_path):
    """A function of a kind: a node and its file."""

    def write(kind):
        node = {"txt": tables.set_text(a_scene, "review", "é" * 3000), "tsv": tables.set_rows(a_scene, [{"a": 1}] * 9)}
        path = tmp_path / f"it.{kind}"
        if kind == "nrrd":
            write_nrrd(np.random.default_rng(0).random(a_grid.shape), a_grid, path, {})
            return a_volume_node, path
        node[kind].AddDefaultStorageNode()
        node[kind].GetStorageNode().SetFileName(str(path))
        assert node[kind].GetStorageNode().WriteData(node[kind])
        return node[kind], path

    return write


@pytest.mark.parametrize("kind", ["txt", "tsv", "nrrd"])
def test_a_file_that_is_cut_off_is_no_file(kind, written):
    node, path = written(kind)
    whole = path.read_bytes()
    check_written(node, path)
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(OSError, match=DIFFERS):
            check_written(node, path)


def test_a_scenes_own_file_ends_where_it_should(tmp_path):
    path = tmp_path / "scene.mrml"
    path.write_text("<MRML><Volume/></MRML>")
    check_scene(path)
    for text in ("", "<MRML><Volume/>", "<MRML><Volume/></MRML"):
        path.write_text(text)
        with pytest.raises(OSError, match=DIFFERS):
            check_scene(path)
