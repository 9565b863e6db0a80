"""The page as eyes and hands meet it: contrast, labels that do not cover each other, keys alone, what controls show."""

import re
from io import BytesIO

import matplotlib.image
import numpy as np
import pytest
import SimpleITK as sitk

pytestmark = pytest.mark.usefixtures("quiet")
AA = 4.5  # least contrast of text: WCAG 2.2, 1.4.3
LAYOUTS = {(1280, 800): ("Axial large", "Sagittal", "3D", "Four-up"), (3840, 2160): ("Four-up",)}


@pytest.fixture(scope="module")
def reader(reader):
    """With a result of one sample."""
    reader.wait("s('s_modalities').length === 3")
    reader.page.get_by_label("samples", exact=True).fill("1")
    reader.page.get_by_label("samples", exact=True).press("Tab")
    reader.wait("s('p_samples') === 1")
    reader.press("r")
    reader.wait("s('s_run') === 'ready' && s('s_regions').length > 2 && !s('s_explaining')")
    return reader


# What is read and how well: text of one's own, on whatever lies below it. Over pictures a shadow is what helps.
CONTRASTS = """() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const over = (top, under) => top.slice(0, 3).map((v, n) => v * (top[3] ?? 1) + under[n] * (1 - (top[3] ?? 1)));
  const linear = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const above = (e) => e ? [...above(e.parentElement), e] : [];
  const skipped = ".view-corner, .view-title, .view-note, .v-tooltip, [disabled], .v-btn--disabled, script, style";
  const wholly = { visibilityProperty: true, opacityProperty: true };
  const found = [];
  const top = document.querySelector(".v-dialog.v-overlay--active .v-card") || document.body;
  for (const e of top.querySelectorAll("*")) {
    const words = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join("");
    if (!words || e.closest(skipped) || !e.checkVisibility(wholly)) continue;
    let back = [255, 255, 255], opacity = 1;
    for (const part of above(e)) {
      const style = getComputedStyle(part);
      back = over(numbers(style.backgroundColor), back);
      opacity *= Number(style.opacity);
    }
    const color = numbers(getComputedStyle(e).color);
    const fore = over([...color.slice(0, 3), (color[3] ?? 1) * opacity], back);
    const [a, b] = [light(fore), light(back)].sort((x, y) => y - x);
    found.push([words.slice(0, 40), e.className.toString().slice(0, 60), (a + 0.05) / (b + 0.05)]);
  }
  return found;
}"""


def unreadable(reader):
    """What has less contrast than AA: (words, class, contrast); what lies dimmed below a dialog is not read."""
    reader.page.wait_for_function(f"({CONTRASTS})().length > 2")  # on a busy machine a dialog fades in late
    found = reader.page.evaluate(CONTRASTS)
    return [(words, place, round(contrast, 2)) for words, place, contrast in found if contrast < AA]


def settle(reader):
    """Vuetify fades and slides what comes and goes."""
    reader.page.mouse.move(2, 2)
    reader.page.wait_for_function(
        "document.getAnimations().every((a) => a.playState !== 'running' || a.effect.getTiming().iterations > 1e9)"
    )


# Until the page shows it so: whatever the server sends meanwhile brings the message's own level back.
AT_LEVEL = """level => {
  const message = window.trame.state.get("s_message");
  if (message.level !== level) window.trame.state.set("s_message", { ...message, level });
  return document.querySelector("#message")?.classList.contains(`bg-${level}`);
}"""


def test_every_word_is_readable_in_both_themes_with_dialogs_and_messages(reader):
    reader.click("#section-fusion summary")
    reader.click("#section-case summary >> nth=0")
    for theme in ("light", "dark"):
        reader.click("#theme")
        reader.page.locator(f".v-theme--{theme}#panel").wait_for()
        settle(reader)
        assert not (found := unreadable(reader)), (theme, found)
        for level in ("info", "warning", "error"):
            number = reader.message_number()
            reader.page.evaluate("window.trame.trigger('upload_failed', ['One sentence about a file.'])")
            reader.wait_for_message(number)
            reader.page.wait_for_function(AT_LEVEL, arg=level)
            settle(reader)
            assert not (found := unreadable(reader)), (theme, level, found)
        reader.page.locator("#message").get_by_role("button").click()
        for name in ("open_dialog", "help_dialog", "scene_dialog", "preset_dialog", "tour_open"):
            reader.page.evaluate(f"window.trame.state.set('{name}', true)")
            reader.page.locator("#tour" if name == "tour_open" else ".v-dialog.v-overlay--active").wait_for()
            settle(reader)
            assert not (found := unreadable(reader)), (theme, name, found)
            reader.save_picture(f"{theme}_{name}")
            reader.page.evaluate(f"window.trame.state.set('{name}', false)")
            reader.page.locator(".v-dialog.v-overlay--active").wait_for(state="detached")
        reader.page.locator("#tour").wait_for(state="detached")
    reader.click("#section-fusion summary")
    reader.click("#section-case summary >> nth=0")


COVERED = """() => {
  const words = [...document.querySelectorAll(".view-title, .view-note, .view-corner, .view-slider, .legends, .probe")];
  const boxes = words.map((e) => [e.className + " " + e.innerText.slice(0, 12), e.getBoundingClientRect()]);
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const found = [];
  boxes.forEach(([one, a], n) => boxes.slice(n + 1).forEach(([other, b]) => meet(a, b) && found.push([one, other])));
  const cut = boxes.filter(([, b]) => b.right > innerWidth + 1 || b.bottom > innerHeight + 1);
  return [boxes.length, found, cut.map(([name]) => name)];
}"""


@pytest.mark.parametrize(("width", "height"), list(LAYOUTS))
def test_labels_over_the_pictures_do_not_cover_each_other(reader, width, height):
    reader.page.set_viewport_size({"width": width, "height": height})
    for layout in LAYOUTS[width, height]:
        reader.page.get_by_label(f"{layout} layout", exact=True).click()
        slices = {"Sagittal": 1, "3D": 0}.get(layout, 3)
        reader.page.wait_for_function(f"document.querySelectorAll('.view-place').length === {slices}")
        settle(reader)
        count, covered, cut = reader.page.evaluate(COVERED)
        assert count >= 3 + 6 * slices
        assert (covered, cut) == ([], []), layout
        reader.save_picture(f"labels_{width}_{layout}")
    reader.page.set_viewport_size({"width": 1440, "height": 900})


def test_a_view_says_which_side_is_which_and_where_its_slice_lies(reader):
    reader.settled("Axial")
    axes = {"Axial": (0, 1, 2), "Coronal": (0, 2, 1), "Sagittal": (1, 2, 0)}
    for name, (across, along, through) in axes.items():
        view = reader.view(name)
        (right, _), (left, _) = reader.probe(name, 0.7, 0.5), reader.probe(name, 0.3, 0.5)
        (top, _), (bottom, _) = reader.probe(name, 0.5, 0.3), reader.probe(name, 0.5, 0.7)
        for side, toward, axis in (("right", right - left, across), ("top", top - bottom, along)):
            letter = view.locator(f".view-{side}").inner_text()
            assert letter == ("RAS"[axis] if toward[axis] > 0 else "LPI"[axis]), (name, side)
        place = view.locator(".view-place").inner_text()
        letter, mm = re.fullmatch(r"([RLAPSI]) (\d+\.\d) mm", place).groups()
        signed = float(mm) * (1 if letter in "RAS" else -1)
        assert letter in ("RL", "AP", "SI")[through] and abs(signed - top[through]) <= 1, name


GREEN = "rgb(33, 196, 94)"  # the lesion's


def legend(reader, pattern):
    """Wait until the layers' legend says so: a tool or a choice may be there a moment before its layers are."""
    reader.wait(f"/{pattern}/.test(document.querySelector('#legends').innerText.replaceAll('\\n', ' '))")


def test_layers_have_legends_in_their_unit_and_pet_has_colors_to_choose(reader):
    legend(reader, r"fused .*1\.0 gray .*PET 0 10 SUVbw .*doubt 0\.00 0\.\d\d nat .*lesion .*outer .*contour")
    assert reader.page.evaluate("getComputedStyle(document.querySelector('.legend-line')).backgroundColor") == GREEN
    heat = reader.settled("Axial")
    reader.choose("PET colors", "rainbow")
    rainbow = reader.settled("Axial", heat)
    assert np.abs(rainbow - heat).mean() > 1
    reader.choose("PET window", "0-20")
    reader.settled("Axial", rainbow)
    legend(reader, "PET 0 20 SUVbw")
    reader.choose("PET window", "auto")
    reader.choose("PET colors", "heat")
    assert np.array_equal(reader.settled("Axial", rainbow), heat)
    reader.choose("background", "CT")
    reader.wait("s('s_layers')[0].name === 'CT'")
    legend(reader, "^CT -160 240 HU")
    reader.choose("background", "fused picture")
    reader.wait("s('s_layers')[0].name === 'fused'")


def test_a_crosshair_stands_where_the_views_were_brought_to(reader):
    plain = reader.settled("Axial")
    reader.tick("crosshair", True)
    reader.wait("s('p_crosshair')")
    crossed = reader.settled("Axial", plain)
    lines = np.abs(crossed - plain).max(axis=2) > 30
    assert lines.any(axis=1).mean() > 0.9 and lines.any(axis=0).mean() > 0.9 and lines.mean() < 0.05
    reader.press("n")
    reader.wait("s('s_region') !== null")
    there = reader.settled("Axial", crossed)
    reader.tick("crosshair", False)
    reader.wait("!s('p_crosshair')")
    lines = np.abs(reader.settled("Axial", there) - there).max(axis=2) > 30
    row, column = (int(np.argmax(lines.sum(axis=axis))) for axis in (1, 0))
    middle = np.array(there.shape[:2]) / 2
    assert np.abs([row, column] - middle).max() < 4  # the region is in the middle


def test_what_a_threshold_would_take_is_shown_of_the_image_that_it_is_taken_from(reader, truth):
    """And not of the picture that lies below, whose values are gray."""
    reader.tick("uncertainty", False)
    reader.tick("95 % band", False)
    reader.choose("over it", "nothing")
    reader.click("#tool-threshold")
    reader.wait("s('tool') === 'threshold' && s('threshold_unit') === 'HU'")
    legend(reader, "^CT")
    reader.page.locator("#threshold-0").fill("250")
    reader.page.locator("#threshold-0").press("Tab")
    reader.wait("s('threshold')[0] === 250")
    at, k = truth.seen(reader, reader.picture("Axial").shape[:2])
    bone, air = at(truth.hu[k] > 350), at(truth.hu[k] < -500)

    def green():
        taken = reader.view("Axial").screenshot(style=".view-title, .view-corner, .view-slider { visibility: hidden }")
        pixels = matplotlib.image.imread(BytesIO(taken), format="png")
        return (pixels[..., 1] - pixels[..., 0]) > 0.1

    held_to_the_region = green()
    assert held_to_the_region[bone].mean() < 0.1
    reader.tick("inside this region only", False)
    reader.wait("!s('p_inside_region_only')")
    reader.settled("Axial")
    seen = green()
    reader.save_picture("threshold")
    assert seen[bone].mean() > 0.5 > 0.02 > seen[air].mean()
    reader.page.wait_for_timeout(500)  # two and a half pulses of Slicer's own preview
    assert (green() == seen).mean() > 0.999
    reader.tick("inside this region only", True)
    reader.page.locator("#threshold-1").press("Escape")
    reader.wait("s('tool') === 'look'")
    legend(reader, "^fused")
    for label in ("uncertainty", "95 % band"):
        reader.tick(label, True)
    reader.choose("over it", "PET")


FOCUS = """() => {
  const e = document.activeElement;
  const around = [e, e.querySelector(".v-slider-thumb__surface"), e.closest(".v-selection-control, .v-field")];
  const ring = around.some((x) => x && getComputedStyle(x).outlineStyle !== "none");
  const name = e.getAttribute("aria-label") || e.labels?.[0]?.innerText || e.innerText?.trim() || "";
  const picture = e.className.includes?.("remote-controlled-area");
  const section = e.closest(".panel-section")?.id || (e.closest(".stage") ? "stage" : "top");
  return e === document.body ? null : { name: picture ? "picture" : name, ring, section, tag: e.tagName };
}"""


def test_keys_alone_reach_everything_in_the_panels_order_and_show_where_they_are(reader):
    reader.page.locator("#panel .brand").click()
    reached = []
    for _ in range(160):
        reader.page.keyboard.press("Tab")
        found = reader.page.evaluate(FOCUS)
        if found is None and reached:
            break
        if found:
            reached.append(found)
    assert [f for f in reached if not f["name"] or not f["ring"]] == []
    sections = list(dict.fromkeys(f["section"] for f in reached))
    parts = ("case", "look", "fusion", "modalities", "lesion", "doubt", "review", "probing", "keep")
    assert sections == ["top", *(f"section-{part}" for part in parts), "stage"]
    names = {f["name"] for f in reached}
    wanted = {
        "Open",
        "Four-up layout",
        "alpha: soft like MRI",
        "Run",
        "paint",
        "Save scene",
        "Axial slice",
        "PET colors",
    }
    assert wanted <= names, wanted - names
    assert sum(f["tag"] == "TR" for f in reached) == len(reader.state("s_regions"))


def test_a_region_is_chosen_by_keys_alone(reader):
    region = reader.state("s_regions")[3]["id"]
    reader.page.locator(f"#region-{region}").focus()
    reader.page.keyboard.press("Enter")
    reader.wait(f"s('s_region') === {region}")
    assert reader.page.locator(f"#region-{region}").get_attribute("aria-current") == "true"


def offer(reader):
    """The first region in focus, with its outlines."""
    reader.page.locator(".region").first.click()
    reader.wait("s('s_region') === 1 && s('s_choices').length > 1")


@pytest.fixture
def outlines_only(reader):
    """Nothing but outlines over the picture."""
    for on in (False, True):
        for label in ("uncertainty", "95 % band"):
            reader.tick(label, on)
        reader.wait(f"s('p_show_band') === {str(on).lower()} && s('p_show_uncertainty') === {str(on).lower()}")
        if not on:
            yield


def magenta(picture):
    """Where the ghost's line is."""
    red, green, blue = np.moveaxis(picture, 2, 0)
    return (red > 150) & (blue > 140) & (green < 0.65 * blue)


@pytest.mark.usefixtures("outlines_only")
def test_a_key_shows_an_outline_as_a_ghost_and_enter_takes_it_in_one_step(reader):
    offer(reader)
    reader.served()  # what a fixture switched is a step, too
    offered, steps = reader.state("s_choices"), reader.state("s_steps")
    before = reader.settled("Axial")
    shares = reader.page.locator("#choices").inner_text()
    assert all(row["source"] in shares and row["change"] in shares for row in offered)
    assert magenta(before).sum() < 10
    reader.press("1")
    reader.wait("s('s_choice') === 1")
    shown = reader.settled("Axial", before)
    assert magenta(shown).sum() > 40
    assert reader.page.locator("#choice-1").get_attribute("aria-pressed") == "true"
    reader.page.locator("#take").scroll_into_view_if_needed()
    reader.save_picture("choose")
    reader.press("2")
    reader.wait("s('s_choice') === 2")
    assert magenta(reader.settled("Axial", shown)).sum() > 40
    reader.press("Escape")
    reader.wait("s('s_choice') === null")
    assert np.array_equal(reader.settled("Axial", shown), before)
    assert reader.state("s_steps") == steps
    reader.press("1")
    reader.page.keyboard.press("Enter")  # at once: the ghost need not be on screen yet
    reader.wait(f"s('s_steps') === {steps + 1} && s('s_choice') === null && s('s_region') === 1 && s('s_part') === 1")
    row = reader.page.locator("#region-1").inner_text()
    assert offered[0]["source"] in row and "open (" in row
    reader.save_picture("chosen")
    reader.wait("s('s_choices').length > 1")
    assert "Part 1 of" in reader.page.locator("#choosing").inner_text()
    reader.press("0")
    reader.wait(f"s('s_steps') === {steps + 2} && s('s_part') === 2")
    reader.click("#none-of-these")
    reader.wait(f"s('s_steps') === {steps + 3} && s('s_part') === 3")
    reader.press("a")
    reader.wait(f"s('s_steps') === {steps + 4} && s('s_region') === 2 && s('s_part') === 0")
    row = reader.page.locator("#region-1").inner_text()
    assert offered[0]["source"] in row and "corrected" in row
    for back, part in ((3, 3), (2, 2), (1, 1), (0, 0)):
        reader.press("Control+z")
        reader.wait(f"s('s_steps') === {steps + back} && s('s_region') === 1 && s('s_part') === {part}")
    assert reader.state("s_regions")[0]["status"] == "open"


def test_enter_takes_it_after_a_click_on_a_button_but_presses_one_that_the_keyboard_reached(reader):
    offer(reader)
    reader.served()
    steps = reader.state("s_steps")
    reader.page.get_by_role("button", name="Next (N)").click()
    reader.wait("s('s_region') === 2")
    reader.page.get_by_role("button", name="Previous (P)").click()
    reader.wait("s('s_region') === 1 && s('s_choices').length > 1")
    reader.page.keyboard.press("1")
    reader.wait("s('s_choice') === 1")
    reader.page.get_by_role("button", name="Next (N)").focus()
    reader.page.keyboard.press("Enter")
    reader.wait("s('s_region') === 2 && s('s_choice') === null")
    assert reader.state("s_steps") == steps
    offer(reader)
    reader.page.locator("#region-1").click()
    reader.page.keyboard.press("1")
    reader.wait("s('s_choice') === 1")
    reader.page.keyboard.press("Enter")
    reader.wait(f"s('s_steps') === {steps + 1} && s('s_part') === 1")
    reader.press("Control+z")
    reader.wait(f"s('s_steps') === {steps} && s('s_part') === 0 && s('s_choices').length > 1")
    reader.page.locator("#choice-2").click()
    reader.wait("s('s_choice') === 2 && !document.querySelector('#take').disabled")
    reader.click("#take")
    reader.wait(f"s('s_steps') === {steps + 1}")
    reader.press("Control+z")
    reader.wait(f"s('s_steps') === {steps}")
    before = reader.message_number()
    reader.press("Enter")
    reader.served()
    assert (reader.state("s_steps"), reader.message_number()) == (steps, before)


def test_keys_do_nothing_in_a_text_field_nor_behind_a_dialog(reader):
    """After each, the server has been asked something else and has answered: it would have done it by then."""
    names = (
        "s_region",
        "s_progress",
        "s_run",
        "showing_before",
        "p_show_uncertainty",
        "help_dialog",
        "tool",
        "p_alpha",
    )
    before = {name: reader.state(name) for name in names}
    number = reader.page.locator("#slider-p_alpha .slider-number")
    number.focus()
    reader.page.keyboard.type("napsrbuh")
    reader.served()
    assert {name: reader.state(name) for name in names} == before
    reader.page.evaluate("window.trame.state.set('preset_dialog', true)")
    reader.page.locator("#preset-title").fill("a nap for a bush?")
    reader.page.locator("#preset-title").press("n")
    reader.page.get_by_role("button", name="Close (Esc)").focus()
    for key in ("n", "a", "s", "u", "b", "r", "h", "?", "Control+z", "Control+s"):
        reader.page.keyboard.press(key)
    reader.served()
    assert {name: reader.state(name) for name in names} == before
    reader.page.keyboard.press("Escape")
    reader.page.locator("#preset-title").wait_for(state="detached")
    reader.page.evaluate("window.trame.state.set('preset_title', '')")
    x, y = reader.at("Axial", 0.5, 0.5)
    reader.page.mouse.click(x, y)  # the picture has the focus
    reader.page.keyboard.press("u")
    reader.wait(f"s('p_show_uncertainty') === {str(not before['p_show_uncertainty']).lower()}")
    reader.page.keyboard.press("u")
    reader.wait(f"s('p_show_uncertainty') === {str(before['p_show_uncertainty']).lower()}")


def test_every_export_is_a_file_that_can_be_read(reader, truth):
    reader.wait("s('s_fusion') === 'ready'")
    kinds = {"SEG": ".seg.nrrd", "NIfTI": ".nii.gz", "Fused": ".fused.nrrd", "Report": ".report.html"}
    kept = {}
    for kind, ending in kinds.items():
        with reader.page.expect_download(timeout=180_000) as download:
            reader.page.locator("#section-keep").get_by_role("button", name=kind, exact=True).click()
        assert download.value.suggested_filename == "STS_010" + ending
        kept[kind] = reader.workspace.folder / download.value.suggested_filename
        download.value.save_as(kept[kind])
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(kept["NIfTI"]))) > 0
    fused = sitk.ReadImage(str(kept["Fused"]))
    assert mask.shape == truth.hu.shape and mask.any() and fused.GetSize() == truth.image.GetSize()
    assert np.ptp(sitk.GetArrayFromImage(fused)) > 0.5
    assert (sitk.GetArrayFromImage(sitk.ReadImage(str(kept["SEG"]))) > 0).sum() == mask.sum()
    page = reader.context.new_page()
    page.set_content(kept["Report"].read_text(encoding="utf-8"))
    body = page.inner_text("body")
    assert "STS_010" in body and page.locator("img").count() > 2
    assert "soft tissue like MRI" in body and "beside trivial fusions" in body  # the fusion, with its scores
    page.close()


@pytest.mark.parametrize("kind", ["DICOM SEG", "RTSTRUCT"])
def test_a_case_from_nifti_says_why_there_is_no_dicom_of_it(reader, kind):
    number = reader.message_number()
    reader.page.locator("#section-keep").get_by_role("button", name=kind, exact=True).click()
    assert "CT was not read from DICOM files" in reader.wait_for_message(number)


KEPT = (
    "layout",
    "dark",
    "s_layers",
    "s_region",
    "s_progress",
    "s_regions",
    "s_numbers",
    "p_alpha",
    "p_windows",
    "p_crosshair",
)


def test_a_reload_and_a_second_tab_that_takes_over_bring_everything_back(reader, workspace):
    reader.press("a")
    reader.wait("s('s_progress').startsWith('1 of')")
    reader.choose("CT window", "lung")
    reader.page.get_by_label("Axial large layout", exact=True).click()
    reader.wait("s('layout') === 'Axial large' && s('p_windows').CT === 'lung'")
    picture = reader.settled("Axial")
    values = {name: reader.state(name) for name in KEPT}
    reader.page.reload()
    reader.page.wait_for_selector("#numbers")
    assert {name: reader.state(name) for name in KEPT} == values
    assert reader.page.locator(".view-place").count() == 3
    assert np.abs(reader.settled("Axial") - picture).mean() < 0.5
    first, second = reader.page, reader.context.new_page()
    second.goto(workspace.url)
    assert "open in another tab" in second.inner_text("body")
    second.get_by_role("link", name="Use it here").click()
    second.wait_for_selector("#numbers")
    first.wait_for_selector("text=taken over")
    reader.page = second
    assert {name: reader.state(name) for name in KEPT} == values
    assert np.abs(reader.settled("Axial") - picture).mean() < 0.5
    first.close()
