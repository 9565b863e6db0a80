"""Nodes that are not read are left out with a sentence that names them; what would be wrong without them is refused."""

from xml.etree import ElementTree

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.scene_files.left_out import without_unread

CT = '<Volume id="v1" name="CT" attributes="DiffuFuseMed.role:CT" references="display:d1;storage:s1;{}"/>'
REST = '<VolumeDisplay id="d1"/><VolumeArchetypeStorage id="s1" fileName="Data/CT.nrrd"/>'
STORED = (
    "MarkupsFiducial", "MarkupsJson", "MarkupsROIJson", "Model", "Transform", "VolumeProperty", "SceneView", "Sequence",
    "VolumeSequence", "NRRD", "ProceduralColor", "FiberBundle", "Unheard",
)  # fmt: skip


@pytest.fixture
def left_out():
    """A function (nodes): the sentence, and the scene with a CT that is left."""

    def take(words, of_ct=""):
        root = ElementTree.fromstring(f"<MRML>{CT.format(of_ct)}{REST}{words}</MRML>")
        return without_unread(root), root

    return take


def kept(root):
    return [element.get("id") for element in root]


def test_nothing_is_said_of_a_scene_that_is_read_whole(left_out):
    said, root = left_out('<Table id="t1" references="storage:x1;"/><TableStorage id="x1"/><Camera id="c1"/>')
    assert said == ""
    assert kept(root) == ["v1", "d1", "s1", "t1", "x1", "c1"]


@pytest.mark.parametrize("file", ['fileName="Data/F.bin"', 'fileName="/etc/hostname"', 'uri="http://example.org"', ""])
@pytest.mark.parametrize("kind", STORED)
def test_a_node_whose_file_is_of_a_kind_that_is_not_read_is_left_out_with_its_parts(left_out, kind, file):
    owner = f'<{kind} id="n1" name="F &amp; G" references="display:n2;storage:n3;"/>'
    said, root = left_out(f'{owner}<{kind}Display id="n2"/><{kind}Storage id="n3" {file}/>')
    assert said == f"Left out of the scene, as nodes of their kind are not read: {kind} 'F & G'."
    assert kept(root) == ["v1", "d1", "s1"]


@pytest.mark.parametrize(
    "tag", ["MarkupsCurve", "MarkupsROI", "Model", "AnnotationROI", "LinearTransform", "SceneView"]
)
def test_it_is_left_out_without_a_file_too(left_out, tag):
    said, root = left_out(f'<{tag} id="n1" name="a"/>')
    assert said.endswith(f"{tag} 'a'.")
    assert kept(root) == ["v1", "d1", "s1"]


def test_a_storage_that_no_node_has_is_named_itself(left_out):
    assert left_out('<MarkupsFiducialStorage id="n1" name="F_1"/>')[0].endswith("MarkupsFiducialStorage 'F_1'.")


def test_what_lies_in_a_scene_view_goes_with_it_unnamed(left_out):
    said, root = left_out('<SceneView name="all"><Volume name="x" uri="/a"/><TextStorage fileName="/b"/></SceneView>')
    assert said.endswith("not read: SceneView 'all'.")
    assert kept(root) == ["v1", "d1", "s1"]


@pytest.mark.parametrize("tag", ["LinearTransform", "BSplineTransform", "GridTransform", "Transform"])
@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("shown", ["Volume", "LabelMapVolume", "Segmentation", "VectorVolume"])
def test_an_image_or_a_segmentation_under_a_transform_is_refused(left_out, tag, stored, shown):
    storage = '<TransformStorage id="x1"/>' if stored else ""
    for reference in ('references="transform:t1;"', 'transformNodeRef="t1"'):
        with pytest.raises(InputError, match=f"{shown} 'PET' under a transform"):
            left_out(f'<{tag} id="t1" references="storage:x1;"/>{storage}<{shown} id="p" name="PET" {reference}/>')


def test_a_transform_that_is_not_in_the_file_moves_nothing(left_out):
    """Those that this program shows images with are in no file, and made anew."""
    assert left_out("", "transform:t1;")[0] == ""


def test_a_case_s_own_image_in_a_file_that_is_not_read_is_refused_and_another_s_is_left_out(left_out):
    with pytest.raises(InputError, match="Volume 'CT' in a kind of file that is not read"):
        left_out('<NRRDStorage id="x1"/>', "storage:x1;")
    assert left_out('<NRRDStorage id="x1"/><Volume id="v2" name="b" references="storage:x1;"/>')[0].endswith("'b'.")


def test_no_node_that_stays_refers_to_one_that_is_gone(left_out):
    views = '<Selection id="e" references="x:m1 v1;y:m1;" activePlaceNodeID="m1" name="m1"/>'
    items = '<SubjectHierarchy id="h"><SubjectHierarchyItem dataNode="m1"/><SubjectHierarchyItem dataNode="v1"/>'
    said, root = left_out(f'<Model id="m1" name="m"/>{views}{items}</SubjectHierarchy>')
    selection, hierarchy = root[-2], root[-1]
    assert selection.attrib == {"id": "e", "references": "x: v1;y:;", "activePlaceNodeID": "", "name": "m1"}
    assert [item.get("dataNode") for item in hierarchy] == ["v1"]
    assert said.endswith("Model 'm'.")


def test_a_display_that_an_image_has_too_stays(left_out):
    _, root = left_out('<Model id="m1" references="display:d1;"/>')
    assert kept(root) == ["v1", "d1", "s1"]


def test_an_image_keeps_its_display_when_the_colors_of_that_are_not_read(left_out):
    colors = '<ProceduralColor id="c" references="storage:x;"/><ProceduralColorStorage id="x"/>'
    said, root = left_out(f'{colors}<VolumeDisplay id="d2" references="color:c;"/>', "display:d2;")
    assert said.endswith("ProceduralColor.")
    assert kept(root) == ["v1", "d1", "s1", "d2"]
    assert root[3].get("references") == "color:;"


def test_nodes_that_hang_on_each_other_without_end_are_refused(left_out):
    chain = [f'<VolumeRendering id="g{n}" references="x:g{n - 1};"/>' for n in range(1, 100)]
    with pytest.raises(InputError, match="without end"):
        left_out('<Model id="g0"/>' + "".join(chain))


def test_the_picture_of_an_image_by_properties_that_are_left_out_goes_with_them(left_out):
    property_ = '<VolumeProperty id="p" name="VP" references="storage:x;"/><VolumePropertyStorage id="x"/>'
    said, root = left_out(
        f'{property_}<GPURayCastVolumeRendering id="g" references="volumeProperty:p;"/>', "display:d1 g;"
    )
    assert said.endswith("VolumeProperty 'VP'.")
    assert kept(root) == ["v1", "d1", "s1"]
    assert " g" not in root[0].get("references")


def test_of_many_nodes_the_first_ten_are_named_and_long_names_cut(left_out):
    said, _ = left_out("".join(f'<Model id="m{n}" name="{n}&#10;{"x" * 500}"/>' for n in range(14)))
    assert said.endswith(", 4 more.")
    assert len(said) < 700
    assert "\n" not in said
