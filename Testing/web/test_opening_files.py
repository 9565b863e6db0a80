"""An empty workspace and what a reader brings to it: folders, uploads, archives, and files that are no good."""

import re
import shutil
import zipfile

import numpy as np
import pytest
import SimpleITK as sitk

pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture(scope="module")
def workspace(serving, folder, tmp_path_factory):
    with serving(folder, "--root", tmp_path_factory.getbasetemp()) as served:
        yield served


def open_dialog(reader):
    if not reader.state("open_dialog"):
        reader.page.locator("#section-case").get_by_role("button", name="Open", exact=True).click()
    reader.page.locator("#open-path").wait_for()


def open_folder(reader, path):
    open_dialog(reader)
    reader.page.locator("#open-path").fill(str(path))
    reader.click("#open-folder")


def opened(reader, modalities, name=None):
    wanted = " && ".join(f"s('s_modalities').includes('{key}')" for key in modalities)
    reader.wait(f"{wanted} && s('s_modalities').length === {len(modalities)} && s('s_loading') === ''")
    if name:
        reader.wait(f"s('s_case_name') === '{name}'")


def test_an_empty_workspace_says_that_no_case_is_open(reader):
    assert "no case is open" in reader.page.locator("#section-case").inner_text()
    number = reader.message_number()
    reader.press("r")
    assert "open one first" in reader.wait_for_message(number)
    reader.save_picture("empty")


ATTACK = """async () => {
  const { client } = window.trame;
  const call = (name, ...args) => client.getConnection().getSession().call(name, args).catch(() => "refused");
  await client.getRemote().Trame.lifeCycleUpdate("server_exited");
  const write = (key, value) => ({ key, value });
  const wrong = [write("s_loading", "attack"), write("p_alpha", "attack"), write("p_windows", 1), write("tool", [])];
  await client.getRemote().Trame.updateState([...wrong, write("open_path", "of the reader")]);
  return Promise.all(["application.exit", "trame.rca.push", "trame.force.push"].map((name) => call(name, "s_loading")));
}"""


def test_a_page_that_was_taken_over_ends_nothing_and_writes_only_what_is_its_own(reader):
    alpha, path = reader.state("p_alpha"), reader.state("open_path")
    assert reader.page.evaluate(ATTACK) == ["refused"] * 3
    reader.faults.found[:] = [found for found in reader.faults.found if "Unregistered method" not in found]
    reader.page.reload()  # everything comes from the server again
    reader.page.wait_for_selector("#panel")
    reader.wait("s('open_path') === 'of the reader'")
    assert (reader.state("s_loading"), reader.state("p_alpha"), reader.state("tool")) == ("", alpha, "look")
    assert reader.state("p_windows") == {}
    reader.page.evaluate("value => window.trame.state.set('open_path', value)", path)
    reader.served()


def test_a_folder_with_unclear_names_is_opened_once_the_reader_says_what_is_what(reader, a_real_folder, tmp_path):
    for name, unclear in (("CT", "CT"), ("PET", "scan_a"), ("MR_T1", "scan_b")):
        shutil.copy(a_real_folder / f"{name}.nii.gz", tmp_path / f"{unclear}.nii.gz")
    open_folder(reader, tmp_path)
    opened(reader, ["CT"])
    open_dialog(reader)
    for name, role in (("scan_a", "PET"), ("scan_b", "MR_T1")):
        row = reader.page.locator(".v-overlay__content .panel-row", has_text=f"{name}.nii.gz")
        row.locator(".v-select").click()
        reader.page.locator(".v-list-item", has_text=re.compile(f"^{role}$")).click()
        reader.page.locator(".v-list-item").first.wait_for(state="hidden")
    reader.save_picture("roles")
    reader.click("#read-again")
    opened(reader, ["CT", "PET", "MR_T1"])
    assert reader.state("s_sources")["PET"] == "scan_a.nii.gz"
    reader.settled("Axial")
    reader.save_picture("roles_told")


def test_files_are_uploaded(reader, a_real_folder):
    open_dialog(reader)
    reader.page.locator("#upload-files").set_input_files([a_real_folder / f"{n}.nii.gz" for n in ("CT", "PET")])
    opened(reader, ["CT", "PET"], "uploaded files")
    assert "not fused" in reader.page.locator("#section-fusion").inner_text()
    assert reader.settled("Axial").std() > 10  # with no fused picture, the reference is shown


def test_an_archive_is_uploaded(reader, a_real_folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "knee.zip", "w") as archive:
        for name in ("CT", "PET", "MR_T1"):
            archive.write(a_real_folder / f"{name}.nii.gz", f"study/{name}.nii.gz")
    open_dialog(reader)
    reader.page.locator("#upload-files").set_input_files(tmp_path / "knee.zip")
    opened(reader, ["CT", "PET", "MR_T1"], "study")
    assert not reader.state("open_dialog")


@pytest.fixture
def bad_file(a_real_folder, tmp_path):
    """A function of what is wrong: a file called CT.nii.gz, or another, with that fault."""
    path = tmp_path / "CT.nii.gz"

    def text():
        path.write_text("This is a letter.")
        return path

    def truncated():
        whole = (a_real_folder / "CT.nii.gz").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        return path

    def colored():
        pixels = np.zeros((4, 8, 8, 3), np.uint8)
        sitk.WriteImage(sitk.GetImageFromArray(pixels, isVector=True), str(path))
        return path

    def other():
        path.with_name("letter.txt").write_text("This is a letter.")
        return path.with_name("letter.txt")

    return {f.__name__: f for f in (text, truncated, colored, other)}


@pytest.mark.parametrize("fault", ["text", "truncated", "colored", "other"])
def test_a_bad_file_gets_one_sentence_and_what_was_open_stays(reader, bad_file, fault):
    number, before = reader.message_number(), reader.state("s_sources")
    open_dialog(reader)
    reader.page.locator("#upload-files").set_input_files(bad_file[fault]())
    sentence = reader.wait_for_message(number)
    assert len(re.findall(r"[.!?](?:\s|$)", sentence)) == 1 and "\n" not in sentence.strip(), sentence
    assert "Traceback" not in sentence and len(sentence) < 300
    assert reader.state("s_sources") == before and reader.state("s_loading") == ""
    reader.save_picture(f"bad_{fault}")


def test_a_folder_that_is_not_there_gets_one_sentence(reader, tmp_path):
    number = reader.message_number()
    open_folder(reader, tmp_path / "nowhere")
    assert "nowhere" in reader.wait_for_message(number)
    for path in ("/etc", tmp_path / "../../.."):
        number = reader.message_number()
        open_folder(reader, path)
        assert "outside the folders that may be opened" in reader.wait_for_message(number)


def test_a_file_that_is_no_scene_is_refused_and_what_was_open_stays(reader, tmp_path):
    (tmp_path / "scene.mrb").write_bytes(b"PK no scene")
    number, before = reader.message_number(), reader.state("s_sources")
    reader.page.keyboard.press("Escape")
    reader.click("#open-scene")
    reader.page.locator("#upload-scene").set_input_files(tmp_path / "scene.mrb")
    assert reader.wait_for_message(number).endswith(".")
    assert reader.state("s_sources") == before
    assert reader.settled("Axial").std() > 10
