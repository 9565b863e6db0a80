"""What a new entry in one table brings to the page, read off the page's own HTML and state: no browser is needed."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from DiffuFuseMedLib.core.modalities import MODALITIES, shown
from DiffuFuseMedLib.session.parameters import PET_COLORS
from DiffuFuseMedLib.web.actions import Actions
from DiffuFuseMedLib.web.dialogs import dialogs
from DiffuFuseMedLib.web.panel import SECTIONS
from DiffuFuseMedLib.web.panel.display import PET_COLORS as PET_CHOICES
from DiffuFuseMedLib.web.panel.uncertainty import map_words
from trame.app import get_server
from trame.ui.vuetify3 import VAppLayout


class Nobody:
    """Actions that are not called."""

    def __getattr__(self, name):
        return lambda *_: None


@pytest.fixture
def a_panel():
    """A function: the panel as it is written for the page, and the page's state."""

    def build():
        server = get_server("one table", client_type="vue3")
        with VAppLayout(server) as layout:
            for section in SECTIONS:
                section(Nobody())
        return SimpleNamespace(html=layout.html, state=server.state)

    return build


def test_the_panel_offers_every_map_of_the_table_in_its_words(new_entries, a_panel):
    offered = {choice["value"]: choice["title"] for choice in a_panel().state.map_choices}
    assert list(offered) == ["predictive_entropy", "expected_entropy", "mutual_information", "fusion", "disagreement"]
    assert offered["disagreement"] == "modalities (disagreement)"
    assert map_words()["disagreement"] == new_entries.disagreement.words


def test_the_colors_of_tracers_are_asked_for_where_there_is_one(new_entries, a_panel, monkeypatch):
    assert "/^(PET|SPECT)$/.test(m)" in a_panel().html
    monkeypatch.setitem(MODALITIES, "US", replace(new_entries.ultrasound, tracer=True))
    assert "/^(PET|SPECT|US)$/.test(m)" in a_panel().html


def test_an_image_can_be_said_to_be_of_a_new_modality(new_entries):
    state = SimpleNamespace(change=lambda *_: lambda call: call)
    view_state = SimpleNamespace(sources={"CT": "CT.nii.gz"}, unread=("odd.nii.gz",))
    session = SimpleNamespace(view_state=view_state, folder=Path("case"), case="a case")
    Actions(state, session, None, None, None, None).show_roles()
    assert state.role_choices == [*shown(), "not used"] and {"US", "MR_DWI"} <= set(state.role_choices)


def test_the_page_offers_the_pet_colors_that_the_session_takes():
    assert [choice["value"] for choice in PET_CHOICES] == list(PET_COLORS)


def test_enter_in_a_path_s_field_opens_it():
    with VAppLayout(get_server("a dialog", client_type="vue3")) as layout:
        dialogs(Nobody())
    assert layout.html.count("@keydown.enter=") == 2
