"""A volume shown elsewhere than its own geometry says."""

import numpy as np
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.mrml import transforms
from DiffuFuseMedLib.mrml.to_volume import to_volume
from DiffuFuseMedLib.mrml.volumes import add_volume

GRID = Grid((4, 4, 4), (2.0, 2.0, 2.0), (10.0, 20.0, 30.0))


def test_a_volume_under_a_transform_lies_where_the_matrix_brings_it(a_bare_scene):
    volume = add_volume(a_bare_scene, np.arange(64, dtype=np.float32).reshape(GRID.shape), GRID, "MR")
    node = transforms.add_transform(a_bare_scene, "MR moved", "pose MR_T1")
    matrix = np.eye(4)
    matrix[:3, 3] = (3, -4, 5)
    transforms.set_matrix(node, matrix)
    transforms.put_under(volume, node)
    np.testing.assert_allclose(to_volume(volume, "MR_T1").grid.origin, (13, 16, 35))
    transforms.put_under(volume, None)
    np.testing.assert_allclose(to_volume(volume, "MR_T1").grid.origin, (10, 20, 30))


def test_no_file_of_a_scene_holds_it(a_bare_scene):
    assert not transforms.add_transform(a_bare_scene, "MR moved", "pose MR_T1").GetSaveWithScene()
