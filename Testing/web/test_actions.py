"""What buttons of the page do beside the session: no browser is needed."""

from types import SimpleNamespace

from DiffuFuseMedLib.web.actions import AS_GUESSED, Actions


def test_what_the_reader_chose_of_a_folder_that_could_not_be_read_stays_chosen():
    view_state = SimpleNamespace(sources={}, unread=("a.nii.gz", "b.nii.gz"))
    session = SimpleNamespace(view_state=view_state, folder="one", case=None)
    state = SimpleNamespace(role_rows=[], change=lambda *_: lambda function: function)
    actions = Actions(state, session, None, None, None, None)
    actions.show_roles()
    actions.role("b.nii.gz", "PET")
    actions.show_roles()
    assert {row["name"]: row["role"] for row in state.role_rows} == {"a.nii.gz": AS_GUESSED, "b.nii.gz": "PET"}
    session.folder = "another"
    actions.show_roles()
    assert {row["role"] for row in state.role_rows} == {AS_GUESSED}


def test_an_export_of_no_kind_is_asked_for_its_kind():
    said = []
    session = SimpleNamespace(view_state=SimpleNamespace(case_name="case"), say=lambda *words: said.append(words))
    state = SimpleNamespace(change=lambda *_: lambda function: function)
    Actions(state, session, None, None, None, None).export()
    assert said == [("info", "Choose under Keep which file to export.")]


def test_a_number_that_moves_an_image_is_taken_as_typed_and_an_emptied_field_is_none():
    moved = []
    session = SimpleNamespace(placement=SimpleNamespace(nudge=lambda *given: moved.append(given)))
    actions = Actions(SimpleNamespace(change=lambda *_: lambda function: function), session, None, None, None, None)
    actions.nudge("PET", 3, "-2.5")
    actions.nudge("PET", 3, " ")
    assert moved == [("PET", 3, -2.5)]
