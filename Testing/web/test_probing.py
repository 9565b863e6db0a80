"""The page tests the model with a synthetic tumor: the banner, the views with it, the tally, and the patient again."""

from pathlib import Path

import pytest

SHIPPED = Path(__file__).resolve().parents[2] / "models"
DRAWER = "tiny-synthesizer"


@pytest.fixture(scope="module")
def workspace(serving, folder, sample_case, synthesizers):
    """With an untrained synthesizer, which is quick, in place of the shipped one."""
    there = folder / "models"
    there.mkdir()
    others = [model for model in SHIPPED.iterdir() if model.name != "sts-tumor-synthesizer"]
    for model in (*others, synthesizers / DRAWER):
        (there / model.name).symlink_to(model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIFFUFUSEMED_MODELS", str(there))
        with serving(folder, sample_case) as served:
            yield served


@pytest.fixture(scope="module")
def ready(reader):
    reader.wait("s('s_modalities')?.length === 3")
    reader.choose("model", "sts-caldiff")
    reader.page.locator("input[type=number][max='64']").fill("1")
    reader.wait("s('p_samples') === 1")
    return reader


def shift_to(reader, view, x, y):
    """Bring all views, and the crosshair, to a place in one of them."""
    at = reader.at(view, x, y)
    reader.page.keyboard.down("Shift")
    reader.page.mouse.move(at[0], at[1] - 3)
    reader.page.mouse.move(*at)
    reader.page.keyboard.up("Shift")
    reader.served()


def test_a_tumor_is_shown_under_a_banner_and_the_patient_comes_back(ready, quiet):
    imaged, before = ready.settled("Axial"), ready.states("s_layers", "s_outlines", "s_can_undo")
    ready.type_number("p_probe_diameter_mm", 25)
    ready.wait("s('p_probe_diameter_mm') === 25")
    ready.click("#place-anywhere")
    ready.wait("s('s_synthetic') && s('s_probing') === 'ready'")
    words = ready.page.locator("#synthetic").inner_text()
    assert f"SYNTHETIC tumor of 25 mm, made up by {DRAWER}" in words and "overlap" in words
    assert ready.page.locator(".synthetic-frame").is_visible()
    ready.wait("Object.values(s('view_notes')).length === 3")
    assert set(ready.state("view_notes").values()) == {"SYNTHETIC tumor"}
    assert "CT, SYNTHETIC tumor" in ready.page.locator("#legends").inner_text()
    assert "25 mm" in ready.page.locator("#probes").inner_text()
    assert "of 1" in ready.page.locator("#probes").inner_text()
    ready.drawn()
    shown = ready.picture("Axial")
    magenta = (shown[..., 0] > 200) & (shown[..., 1] < 120) & (shown[..., 2] > 180)
    assert magenta.sum() > 20, "the tumor's outline"
    ready.save_picture("synthetic")
    for name in ("SEG", "Report"):
        assert ready.page.get_by_role("button", name=name, exact=True).is_disabled()
    ready.click("#to-patient")
    ready.wait("!s('s_synthetic')")
    back = ready.settled("Axial", after=shown)
    assert ready.page.locator("#synthetic").count() == 0 and ready.page.locator(".synthetic-frame").count() == 0
    layers, outlines, _ = ready.states("s_layers", "s_outlines", "s_can_undo")
    assert [layers, outlines] == before[:2] and back.shape == imaged.shape
    assert not ((back[..., 0] > 200) & (back[..., 1] < 120) & (back[..., 2] > 180)).any()


def test_a_place_in_air_is_refused_in_a_sentence(ready, quiet):
    number = ready.message_number()
    shift_to(ready, "Axial", 0.03, 0.2)
    ready.click("#place")
    said = ready.wait_for_message(number)
    assert "no soft tissue" in said or "outside of the images" in said
    assert not ready.state("s_synthetic") and ready.state("s_probing") == "none"


def test_a_run_has_the_patients_images_first(ready, quiet):
    ready.click("#place-anywhere")
    ready.wait("s('s_synthetic')")
    ready.press("r")
    ready.wait("!s('s_synthetic') && s('s_run') === 'ready'")
    assert len(ready.state("s_probes")) == 1
    assert "SYNTHETIC tumor" not in [outline["name"] for outline in ready.state("s_outlines")]
