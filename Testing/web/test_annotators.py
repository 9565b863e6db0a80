"""A case that two readers drew, in the page: the table, the outlines and their switch."""

import numpy as np
import pytest
import SimpleITK as sitk


@pytest.fixture(scope="module")
def workspace(serving, folder, sample_case):
    """Its drawn lesion as reader 1, and grown by some millimeters as reader 2, whose mask a third one left empty."""
    case = folder / "two readers"
    case.mkdir()
    for name in ("CT", "PET"):
        (case / f"{name}.nii.gz").write_bytes((sample_case / f"{name}.nii.gz").read_bytes())
    drawn = sitk.ReadImage(str(sample_case / "GTV.nii.gz"))
    for n, mask in enumerate((drawn, sitk.BinaryDilate(drawn, (8, 8, 0)), drawn * 0), 1):
        sitk.WriteImage(mask, str(case / f"GTV_reader{n}.nii.gz"))
    with serving(folder, case) as served:
        yield served


def test_the_page_shows_who_drew_what_and_how_far_they_agree(reader, quiet):
    reader.wait("s('s_annotators').length === 4")
    words = " ".join(reader.page.locator("#annotators").inner_text().split())
    assert words.startswith("2 annotators: mean pairwise Dice 0.")
    assert all(name in words for name in ("reader 1", "reader 2", "majority", "STAPLE"))
    assert "reader 3 was left out (GTV_reader3.nii.gz)" in " ".join(reader.state("s_quality"))
    reader.drawn()
    shown = reader.picture("Axial")
    reader.page.locator("#annotators").scroll_into_view_if_needed()
    reader.save_picture("annotators")
    reader.tick("annotators", False)
    reader.wait("s('p_show_annotators') === false")
    hidden = reader.settled("Axial", after=shown)
    assert (np.abs(shown.astype(float) - hidden).max(axis=-1) > 0.2).sum() > 100  # two outlines
