import io
import resource
import stat
import tempfile
import zipfile
from dataclasses import dataclass

import numpy as np
import pytest
import slicer
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.mrml import colors, display, nodes, parameters, scenes, tables, volumes
from DiffuFuseMedLib.mrml import segmentations as s
from DiffuFuseMedLib.mrml.layers import Layers, show
from DiffuFuseMedLib.preprocessing.load import load_case

from Testing.fixtures.full_disk import files_of_at_most

ROWS = [
    {"rank": 1, "ml": 1 / 3, "why": 'PET "low"\tor\nnot, 95 % \\n \\', "done": None, "center": [1e-9, 2.0]},
    {"rank": -(2**40), "ml": 6.02e23, "why": "", "done": 'a "b"', "center": []},
    {"rank": 0, "ml": -0.1, "why": " <é> 'x' ", "done": False, "center": None},
]
MRML = '<MRML version="Slicer 5.11"></MRML>'


@dataclass
class Parameters:
    alpha: float = 0.4
    window: tuple[float, float] = (0.0, 1.0)


@pytest.fixture(scope="module")
def a_real_case(a_real_folder):
    return load_case(a_real_folder)


@pytest.fixture
def a_full_scene(a_scene, a_real_case):
    """STS_010 around its lesion with everything that this library writes."""
    made = {m: volumes.add_volume(a_scene, v.array, v.grid, m, role=m) for m, v in a_real_case.volumes.items()}
    ct = made["CT"]
    display.set_colors(made["PET"], "Inferno")
    display.set_window(made["PET"], 0.0, 7.25)
    display.set_lower_threshold(made["PET"], 1.5)
    nodes.set_provenance(ct, {"sha256": "ab" * 32, "note": 'a; b: "c" <é> 100 %'})
    lesion = a_real_case.reference_mask.array > 0
    segmentation = s.add_segmentation(a_scene, "result", ct)
    s.set_mask(segmentation, "lesion", lesion, ct)
    s.set_mask(segmentation, "inner", lesion & (np.indices(lesion.shape)[0] % 2 == 0), ct, "inner", (1.0, 0.0, 0.0))
    parameters.save(Parameters(1 / 3, (0.1, 2.0)), a_scene)
    tables.set_rows(a_scene, ROWS)
    tables.set_text(a_scene, "review", '{"é": "<&>\\n", "long": "' + "x" * 3000 + '"}')
    composite = a_scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    show([composite], Layers(ct, made["PET"], 0.25, made["MR_T1"], 0.75))
    return a_scene


def node_called(scene, name, kind="vtkMRMLScalarVolumeNode"):
    return next(n for n in nodes.nodes_of(scene, kind) if n.GetName() == name)


def check_full_scene(scene, case):
    for modality, volume in case.volumes.items():
        [node] = nodes.find(scene, "role", modality)
        np.testing.assert_array_equal(volumes.array_of(node), volume.array)
        assert volumes.grid_of(node).same_as(volume.grid, 1e-4)
    ct, pet = node_called(scene, "CT"), node_called(scene, "PET")
    assert (display.colors_of(pet), display.window_of(pet)) == ("Inferno", (0.0, 7.25))
    assert display.lower_threshold_of(pet) == 1.5
    assert colors.css_gradient(pet.GetDisplayNode().GetColorNode(), 2) == ["#000004", "#fcffa4"]
    assert len(nodes.find(scene, "color", "Inferno")) == 1
    assert nodes.provenance(ct)["note"] == 'a; b: "c" <é> 100 %'
    lesion, segmentation = case.reference_mask.array > 0, node_called(scene, "result", "vtkMRMLSegmentationNode")
    np.testing.assert_array_equal(s.mask_of(segmentation, "lesion", ct), lesion)
    np.testing.assert_array_equal(s.mask_of(segmentation, "inner", ct), lesion & (np.indices(lesion.shape)[0] % 2 == 0))
    assert s.terminology_of(segmentation, "lesion").startswith("Segmentation category and type")
    assert parameters.load(Parameters, scene) == Parameters(1 / 3, (0.1, 2.0))
    assert tables.rows_of(tables.table_of(scene)) == ROWS
    assert tables.text_of(scene, "review") == '{"é": "<&>\\n", "long": "' + "x" * 3000 + '"}'


def test_a_scene_comes_back_as_it_was_and_again_from_its_own_copy(a_full_scene, a_real_case, tmp_path):
    scenes.save_scene(a_full_scene, tmp_path / "first.mrb")
    check_full_scene(a_full_scene, a_real_case)  # saving changes nothing
    count = a_full_scene.GetNumberOfNodes()
    scenes.load_scene(a_full_scene, tmp_path / "first.mrb")
    check_full_scene(a_full_scene, a_real_case)
    assert a_full_scene.GetNumberOfNodes() == count
    scenes.save_scene(a_full_scene, tmp_path / "second.mrb")  # the files it was loaded from are gone
    scenes.load_scene(a_full_scene, tmp_path / "second.mrb")
    check_full_scene(a_full_scene, a_real_case)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["first.mrb", "second.mrb"]


def test_saving_leaves_the_scene_s_own_files_as_they_were(a_full_scene, tmp_path):
    """Slicer's File > Save goes on writing where it wrote before, and never into a folder that is gone."""
    a_full_scene.SetURL(str(tmp_path / "own.mrml"))
    a_full_scene.SetRootDirectory(str(tmp_path))
    ct = node_called(a_full_scene, "CT")
    ct.AddDefaultStorageNode()
    ct.GetStorageNode().SetFileName(str(tmp_path / "own.nrrd"))
    ct.GetStorageNode().AddFileName(str(tmp_path / "second.nrrd"))
    scenes.save_scene(a_full_scene, tmp_path / "x.mrb")
    storage = ct.GetStorageNode()
    assert storage.GetFileName() == str(tmp_path / "own.nrrd")
    assert [storage.GetNthFileName(n) for n in range(storage.GetNumberOfFileNames())] == [str(tmp_path / "second.nrrd")]
    assert (a_full_scene.GetURL(), a_full_scene.GetRootDirectory()) == (str(tmp_path / "own.mrml"), str(tmp_path))


def test_what_is_written_later_is_as_it_was_when_it_was_taken_down(a_full_scene, a_real_case, tmp_path):
    ct, pet = (node_called(a_full_scene, name) for name in ("CT", "PET"))
    write = scenes.saving(a_full_scene, tmp_path / "x.mrb", constant=[pet])
    volumes.array_of(ct)[...] = 7
    write()
    scenes.load_scene(a_full_scene, tmp_path / "x.mrb")
    check_full_scene(a_full_scene, a_real_case)


def test_opacities_of_layers_are_right_again_after_show(a_full_scene, tmp_path):
    scenes.save_scene(a_full_scene, tmp_path / "x.mrb")
    scenes.load_scene(a_full_scene, tmp_path / "x.mrb")
    composite = nodes.nodes_of(a_full_scene, "vtkMRMLSliceCompositeNode")[0]
    ct, pet, t1 = (node_called(a_full_scene, n) for n in ("CT", "PET", "MR_T1"))
    show([composite], Layers(ct, pet, 0.25, t1, 0.75))
    assert composite.GetNumberOfAdditionalLayers() == 1
    assert (composite.GetNthLayerVolume(3), composite.GetNthLayerOpacity(3)) == (t1, 0.75)


def test_what_was_in_the_scene_before_is_gone(a_full_scene, tmp_path):
    scenes.save_scene(a_full_scene, tmp_path / "x.mrb")
    tables.set_text(a_full_scene, "later", "text")
    scenes.load_scene(a_full_scene, tmp_path / "x.mrb")
    assert tables.text_of(a_full_scene, "later") is None


def test_no_unpacked_file_is_left_and_none_is_referred_to(a_full_scene, tmp_path, monkeypatch):
    scenes.save_scene(a_full_scene, tmp_path / "x.mrb")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scenes.load_scene(a_full_scene, tmp_path / "x.mrb")
    assert [p.name for p in tmp_path.iterdir()] == ["x.mrb"]
    names = [n.GetFileName() for n in nodes.nodes_of(a_full_scene, "vtkMRMLStorageNode")]
    assert names
    assert not any(name and "scene-" in name for name in names)


def test_a_node_with_any_name_comes_back(a_scene, an_array, a_grid, tmp_path):
    node = volumes.add_volume(a_scene, an_array, a_grid, "../CT: a/b, 50 % é", role="odd")
    scenes.save_scene(a_scene, tmp_path / "x.mrb")
    scenes.load_scene(a_scene, tmp_path / "x.mrb")
    [node] = nodes.find(a_scene, "role", "odd")
    assert node.GetName() == "../CT: a/b, 50 % é"
    np.testing.assert_array_equal(volumes.array_of(node), an_array)


def test_a_full_disk_leaves_the_earlier_file(a_full_scene, tmp_path):
    path = tmp_path / "x.mrb"
    path.write_bytes(b"earlier")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, before[1]))  # no file may grow above this
    try:
        with pytest.raises(InputError, match="cannot be written"):
            scenes.save_scene(a_full_scene, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["x.mrb"]


def test_a_folder_that_cannot_be_made_is_refused(a_scene, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        scenes.save_scene(a_scene, tmp_path / "file" / "x.mrb")


def test_only_an_mrb_is_saved(a_scene, tmp_path):
    with pytest.raises(InputError, match=r"\.mrb"):
        scenes.save_scene(a_scene, tmp_path / "x.zip")


def zipped(members):
    """A zip of name -> text, or name -> (text, mode of the file)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            text, mode = content if isinstance(content, tuple) else (content, stat.S_IFREG | 0o600)
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, text)
    return buffer.getvalue()


def storing(**attributes):
    """A .mrml with a volume whose storage node has these attributes."""
    text = " ".join(f'{key}="{value}"' for key, value in attributes.items())
    return f'<MRML><VolumeArchetypeStorage id="vtkMRMLVolumeArchetypeStorageNode1" name="x" {text}/></MRML>'


def damaged():
    content = bytearray(zipped({"x/x.mrml": MRML, "x/Data/a.bin": "abcdefgh" * 20}))
    content[content.index(b"x/Data/a.bin") + 14] ^= 0xFF
    return bytes(content)


HOSTILE = {
    "no zip": b"MRML",
    "empty": b"",
    "cut short": zipped({"x/x.mrml": MRML})[:-30],
    "a damaged member": damaged(),
    "no scene": zipped({"x/readme.txt": "hello"}),
    "two scenes": zipped({"x/x.mrml": MRML, "x/y.mrml": MRML}),
    "a scene that is no XML": zipped({"x/x.mrml": "<MRML>"}),
    "a scene of another kind": zipped({"x/x.mrml": "<html></html>"}),
    "a name that goes up": zipped({"x/x.mrml": MRML, "../escaped.txt": "x"}),
    "a name that goes up, the Windows way": zipped({"x/x.mrml": MRML, "..\\escaped.txt": "x"}),
    "an absolute name": zipped({"x/x.mrml": MRML, "/tmp/escaped.txt": "x"}),
    "a drive": zipped({"x/x.mrml": MRML, "C:/escaped.txt": "x"}),
    "a link": zipped({"x/x.mrml": MRML, "x/link": ("/etc/passwd", stat.S_IFLNK | 0o777)}),
    "too much": zipped({"x/x.mrml": MRML, "x/zeros": "0" * 2_000_000}),
    "an absolute file": zipped({"x/x.mrml": storing(fileName="/etc/passwd")}),
    "a file above": zipped({"x/x.mrml": storing(fileListMember3="Data/%2e%2e/%2e%2e/%2e%2e/secret.nrrd")}),
    "a file elsewhere, after a blank": zipped({"x/x.mrml": storing(fileName=" /etc/passwd")}),
    "a file of another drive": zipped({"x/x.mrml": storing(fileName="C%3a/x.nrrd")}),
    "a file that is not there": zipped({"x/x.mrml": storing(fileName="a.nrrd")}),
    "an address": zipped({"x/x.mrml": storing(uri="http://example.org/x.nrrd")}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_or_damaged_file_is_refused_and_the_scene_stays(a_scene, a_volume_node, an_array, tmp_path, name):
    path = tmp_path / "sent.mrb"
    path.write_bytes(HOSTILE[name])
    a_scene.SetURL("before")
    with pytest.raises(InputError) as refusal:
        scenes.load_scene(a_scene, path, limit_bytes=1_000_000)
    assert "sent" not in str(refusal.value)
    np.testing.assert_array_equal(volumes.array_of(a_volume_node), an_array)
    assert a_volume_node.GetScene() is a_scene
    assert a_scene.GetURL() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["sent.mrb"]


def test_a_harmless_zip_of_the_same_make_is_loaded(a_scene, a_volume_node, tmp_path):
    (tmp_path / "sent.mrb").write_bytes(zipped({"x/x.mrml": MRML, "x/readme.txt": "what no node names is not read"}))
    scenes.load_scene(a_scene, tmp_path / "sent.mrb")
    assert nodes.nodes_of(a_scene, "vtkMRMLScalarVolumeNode") == []


def test_a_missing_file_is_refused(a_scene, tmp_path):
    with pytest.raises(InputError, match="missing"):
        scenes.load_scene(a_scene, tmp_path / "nothing.mrb")


def test_the_library_s_scene_is_read_by_mrml_itself(a_full_scene, tmp_path):
    """What desktop Slicer does with a .mrb, short of its windows."""
    scenes.save_scene(a_full_scene, tmp_path / "x.mrb")
    other = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerSegmentationsModuleLogic()
    logic.SetMRMLScene(other)
    remote = slicer.vtkMRMLRemoteIOLogic()
    remote.SetMRMLScene(other)
    remote.GetCacheManager().SetRemoteCacheDirectory(str(tmp_path))
    remote.AddDataIOToScene()
    assert other.ReadFromMRB(str(tmp_path / "x.mrb"), True)
    assert len(nodes.find(other, "role", class_name="vtkMRMLScalarVolumeNode")) == 3


def test_a_full_disk_is_told_at_whatever_part_of_the_scene_it_fills_up(a_full_scene, tmp_path, monkeypatch):
    """Each part is written to the folder of temporary files first, so the limit is met by others at each size."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "scene.mrb").write_bytes(b"of before")
    scenes.save_scene(a_full_scene, tmp_path / "whole.mrb")
    with zipfile.ZipFile(tmp_path / "whole.mrb") as archive:
        parts = sorted({member.file_size for member in archive.infolist()})
    rooms = sorted({0, *(part - 1 for part in parts), (tmp_path / "whole.mrb").stat().st_size - 1})
    for room in rooms:
        with files_of_at_most(room), pytest.raises(InputError, match="cannot be written"):
            scenes.save_scene(a_full_scene, tmp_path / "scene.mrb")
        assert (tmp_path / "scene.mrb").read_bytes() == b"of before"
        assert list((tmp_path / "temporary").iterdir()) == []
    scenes.save_scene(a_full_scene, tmp_path / "scene.mrb")  # there is room again
    assert zipfile.is_zipfile(tmp_path / "scene.mrb")
