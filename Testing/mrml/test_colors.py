import pytest
import slicer
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.tracer_colors import TRACER_COLORS, tracer_rgba
from DiffuFuseMedLib.mrml import colors, display
from DiffuFuseMedLib.mrml.volumes import add_volume

SCENES = ["a_scene", "a_bare_scene"]


@pytest.fixture(params=SCENES)
def any_scene(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("name", ["Grey", "Inferno", "PET heat", "PET-Heat", "PET-DICOM"])
def test_a_color_node_is_found_again_instead_of_made_twice(any_scene, name):
    node = colors.color_node(any_scene, name)
    count = any_scene.GetNumberOfNodes()
    assert node.GetName() == name
    assert colors.color_node(any_scene, name) is node
    assert any_scene.GetNumberOfNodes() == count


def test_an_application_s_own_gray_and_pet_colors_are_taken(a_scene):
    count = a_scene.GetNumberOfNodes()
    assert colors.color_node(a_scene, "Grey").GetID() == "vtkMRMLColorTableNodeGrey"
    assert colors.color_node(a_scene, "PET-Heat").GetID() == "vtkMRMLPETProceduralColorNodePET-Heat"
    assert a_scene.GetNumberOfNodes() == count


def test_a_bare_scene_gets_them_under_the_same_ids(a_bare_scene):
    assert colors.color_node(a_bare_scene, "Grey").GetID() == "vtkMRMLColorTableNodeGrey"
    heat = colors.color_node(a_bare_scene, "PET-Heat")
    assert heat.GetID() == "vtkMRMLPETProceduralColorNodePET-Heat"
    assert not heat.GetSaveWithScene()  # as the color logic's own


def test_inferno_is_taken_from_slicer_s_own_table_where_there_is_one(a_bare_scene):
    theirs = slicer.vtkMRMLColorTableNode()
    theirs.SetTypeToUser()
    theirs.SetNumberOfColors(256)
    for n in range(256):
        theirs.SetColor(n, str(n), n / 255, 0.0, 0.5, 1.0)
    theirs.SetSingletonTag("FileInferno.txt")
    a_bare_scene.AddNode(theirs)
    ours = colors.color_node(a_bare_scene, "Inferno")
    assert ours is not theirs
    assert colors.css_gradient(ours, 2) == ["#000080", "#ff0080"]


def test_an_unknown_name_is_refused(any_scene):
    with pytest.raises(InputError, match="Plaid"):
        colors.color_node(any_scene, "Plaid")


def test_a_gradient_runs_from_the_first_color_to_the_last(a_scene):
    assert colors.css_gradient(colors.color_node(a_scene, "Grey"), 3) == ["#000000", "#808080", "#ffffff"]
    inferno = colors.css_gradient(colors.color_node(a_scene, "Inferno"))
    assert len(inferno) == 16
    assert (inferno[0], inferno[-1]) == ("#000004", "#fcffa4")  # the published ends of the color map


def test_a_gradient_of_pet_heat_passes_its_yellow(a_scene):
    # 87 of 255 is pure yellow in Slicer's definition
    assert colors.css_gradient(colors.color_node(a_scene, "PET-Heat"), 256)[87] == "#ffff00"


def test_the_window_set_is_the_window_read(a_volume_node, heard):
    told = heard(a_volume_node.GetDisplayNode())
    display.set_window(a_volume_node, -160, 240)
    display.set_window(a_volume_node, -160, 240)
    assert display.window_of(a_volume_node) == (-160, 240)
    assert len(told) == 1


def test_a_volume_takes_colors_by_name(a_volume_node):
    display.set_colors(a_volume_node, "Inferno")
    assert display.colors_of(a_volume_node) == "Inferno"


def opacity_of(node, i, j, k):
    picture = node.GetDisplayNode().GetImageDataConnection().GetProducer()
    picture.Update()
    return picture.GetOutput().GetScalarComponentAsDouble(i, j, k, 3)


def test_below_the_lower_threshold_a_volume_is_transparent(a_volume_node):
    display.set_lower_threshold(a_volume_node, 0.5)
    assert display.lower_threshold_of(a_volume_node) == 0.5
    assert opacity_of(a_volume_node, 0, 0, 0) == 0  # -50
    assert opacity_of(a_volume_node, 5, 4, 3) == 255  # 69
    display.set_lower_threshold(a_volume_node, None)
    assert display.lower_threshold_of(a_volume_node) is None
    assert opacity_of(a_volume_node, 0, 0, 0) == 255


def test_a_threshold_keeps_values_above_a_16_bit_range(a_scene, an_array, a_grid):
    node = add_volume(a_scene, an_array * 1000, a_grid, "counts")
    display.set_lower_threshold(node, 10.0)
    assert opacity_of(node, 5, 4, 3) == 255  # 69000


@pytest.mark.parametrize("on", [True, False])
def test_interpolation_is_switched(a_volume_node, on):
    display.set_interpolate(a_volume_node, not on)
    display.set_interpolate(a_volume_node, on)
    assert bool(a_volume_node.GetDisplayNode().GetInterpolate()) is on


@pytest.mark.parametrize("name", TRACER_COLORS)
def test_a_scene_has_them_as_color_nodes_that_are_saved(a_bare_scene, name):
    node = colors.color_node(a_bare_scene, name)
    assert colors.color_node(a_bare_scene, name) is node and node.GetSaveWithScene()
    ends = ["#" + "".join(f"{round(255 * part):02x}" for part in tracer_rgba(name)[n, :3]) for n in (0, -1)]
    assert colors.css_gradient(node, 2) == ends


def test_a_volume_is_clear_where_its_color_is(a_volume_node):
    display.set_window(a_volume_node, 0, 100)
    display.set_colors(a_volume_node, "PET heat")
    picture = a_volume_node.GetDisplayNode().GetImageDataConnection().GetProducer()
    picture.Update()
    image = picture.GetOutput()
    alpha = [image.GetScalarComponentAsDouble(i, j, k, 3) for i, j, k in ((0, 0, 0), (5, 4, 3))]  # -50 and 69
    assert alpha == [0, 255]
