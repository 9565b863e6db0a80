import pytest
from DiffuFuseMedLib.mrml import nodes, tables

KEYS = ("rank", "volume_ml", "why", "center_lps", "error_ml", "done")
ROWS = [
    dict(zip(KEYS, (1, 1 / 3, "PET disagrees", [1.5, -2.0, 1e-9], None, True), strict=True)),
    dict(zip(KEYS, (2, 4e17, 'a "b"\tc, d\ne', [0, 0, 0], 0.25, False), strict=True)),
]


def test_rows_come_back_as_they_were(a_scene):
    rows = tables.rows_of(tables.set_rows(a_scene, ROWS))
    assert rows == ROWS
    assert [type(v) for v in rows[0].values()] == [type(v) for v in ROWS[0].values()]


def test_the_table_has_typed_columns_under_its_name(a_scene):
    node = tables.set_rows(a_scene, ROWS)
    assert node.GetName() == "DiffuFuseMed worklist"
    kinds = [node.GetTable().GetColumnByName(c).GetDataTypeAsString() for c in ("rank", "volume_ml", "why")]
    assert kinds == ["long long", "double", "string"]


def test_a_second_list_replaces_the_first_in_the_same_node(a_scene, heard):
    node = tables.set_rows(a_scene, ROWS)
    told = heard(node)
    assert tables.set_rows(a_scene, [{"rank": 7}]) is node
    assert tables.rows_of(node) == [{"rank": 7}]
    assert tables.table_of(a_scene) is node
    assert len(told) == 1


@pytest.mark.parametrize("rows", [[], [{}]])
def test_an_empty_list_is_a_table_without_rows(a_scene, rows):
    assert tables.rows_of(tables.set_rows(a_scene, rows)) == []


def test_rows_of_different_keys_are_a_mistake(a_scene):
    with pytest.raises(ValueError, match="same keys"):
        tables.set_rows(a_scene, [{"a": 1}, {"b": 1}])


def test_a_cell_that_a_user_changed_is_read_as_changed(a_scene):
    node = tables.set_rows(a_scene, ROWS)
    node.SetCellText(0, node.GetColumnIndex("volume_ml"), "2.5")
    assert tables.rows_of(node)[0]["volume_ml"] == 2.5


def test_rows_that_a_user_deleted_are_gone(a_scene):
    node = tables.set_rows(a_scene, ROWS)
    node.RemoveRow(0)
    assert tables.rows_of(node) == ROWS[1:]


def test_a_column_that_a_user_deleted_is_gone(a_scene):
    node = tables.set_rows(a_scene, ROWS)
    node.RemoveColumn(node.GetColumnIndex("why"))
    assert tables.rows_of(node) == [{k: v for k, v in row.items() if k != "why"} for row in ROWS]


def test_decisions_are_a_table_of_their_own(a_scene):
    tables.set_rows(a_scene, ROWS)
    tables.set_rows(a_scene, [{"action": "accept"}], "DiffuFuseMed decisions")
    assert tables.rows_of(tables.table_of(a_scene)) == ROWS


def test_documents_come_back_by_name(a_scene):
    tables.set_text(a_scene, "review", '{"é": "<&>\\n"}')
    tables.set_text(a_scene, "empty", "")
    tables.set_text(a_scene, "review", '{"a": 1}')
    assert tables.text_of(a_scene, "review") == '{"a": 1}'
    assert tables.text_of(a_scene, "empty") == ""
    assert tables.text_of(a_scene, "missing") is None


def test_a_node_that_a_user_renamed_is_still_found(a_scene):
    tables.set_text(a_scene, "review", "one").SetName("my notes")
    tables.set_text(a_scene, "review", "two")
    assert tables.text_of(a_scene, "review") == "two"
    assert a_scene.GetNumberOfNodesByClass("vtkMRMLTextNode") == 1


def test_a_tag_is_written_found_and_removed(a_scene, a_volume_node, heard):
    told = heard(a_volume_node)
    nodes.set_tag(a_volume_node, "role", "fused")
    nodes.set_tag(a_volume_node, "role", "fused")
    assert len(told) == 1
    assert nodes.find(a_scene, "role", "fused", "vtkMRMLVolumeNode") == [a_volume_node]
    assert nodes.find(a_scene, "role", class_name="vtkMRMLSegmentationNode") == []
    assert nodes.find(a_scene, "role", "doubt") == []
    nodes.set_tag(a_volume_node, "role", None)
    assert nodes.tag(a_volume_node, "role") is None
    assert nodes.find(a_scene, "role") == []


def test_provenance_comes_back_and_damage_is_no_provenance(a_volume_node):
    record = {"model": "x", "sha256": "ab" * 32, "seed": 3, "config": {"widths": [8, 16], "tau": None}}
    nodes.set_provenance(a_volume_node, record)
    assert nodes.provenance(a_volume_node) == record
    nodes.set_tag(a_volume_node, "provenance", "{")
    assert nodes.provenance(a_volume_node) == {}
