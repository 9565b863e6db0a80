"""Jobs have keys by what their results depend on; results are kept whole, read back as they were, never mixed up."""

import hashlib
import json
from dataclasses import replace

import pytest
from DiffuFuseMedLib.benchmark import jobs as module
from DiffuFuseMedLib.benchmark.jobs import Done, Job, check_unchanged, fingerprint_of, fingerprint_of_values
from DiffuFuseMedLib.core.errors import InputError

JOB = Job("score", {"case": "a", "samples": 2}, {"model": "01"}, {"cases": "/here"})


def test_the_key_is_the_sha256_of_kind_spec_fingerprints_and_version(monkeypatch):
    monkeypatch.setattr(module, "__version__", "1.2.3")
    text = '{"kind": "score", "rests_on": {"model": "01"}, "spec": {"case": "a", "samples": 2}, "version": "1.2.3"}'
    assert JOB.key == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "other",
    [{"kind": "train"}, {"spec": {"case": "a", "samples": 3}}, {"rests_on": {"model": "02"}}],
    ids=["kind", "spec", "what it rests on"],
)
def test_another_job_has_another_key(other):
    assert replace(JOB, **other).key != JOB.key


def test_another_version_gives_another_key(monkeypatch):
    before = JOB.key
    monkeypatch.setattr(module, "__version__", "next")
    assert JOB.key != before


def test_the_key_does_not_depend_on_where_things_lie_or_how_a_spec_was_written():
    assert replace(JOB, places={"cases": "/there"}, cores=8).key == JOB.key
    assert replace(JOB, spec={"samples": 2, "case": "a"}).key == JOB.key


def test_what_was_kept_is_given_back(store):
    assert store.get(JOB) is None
    kept = store.put(Done(JOB, {"dice": 0.5, "hd95_mm": float("nan"), "pair": (1, 2)}, seconds=1.23456))
    assert kept == Done(JOB, {"dice": 0.5, "hd95_mm": None, "pair": [1, 2]}, "", 1.235)
    assert store.get(JOB) == kept
    assert not kept.failed


def test_a_failure_is_kept_with_its_reason_and_can_be_replaced(store):
    assert store.put(Done(JOB, reason="No lesion was drawn.")).failed
    assert store.get(JOB).reason == "No lesion was drawn."
    store.put(Done(JOB, {"dice": 1.0}))
    assert store.get(JOB) == Done(JOB, {"dice": 1.0})


def test_a_result_is_one_file_and_says_what_it_is_of(store):
    store.put(Done(JOB, 1))
    assert [path.name for path in store.folder.iterdir()] == [f"{JOB.key}.json"]
    told = json.loads((store.folder / f"{JOB.key}.json").read_text())
    assert (told["kind"], told["spec"], told["rests_on"], told["result"]) == ("score", JOB.spec, {"model": "01"}, 1)
    assert "/here" not in json.dumps(told)


def test_a_write_that_breaks_off_leaves_what_was_there(store, monkeypatch):
    store.put(Done(JOB, "old"))

    def full(path, content):
        path.write_text(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_whole", full)
    with pytest.raises(InputError, match="No space left"):
        store.put(Done(JOB, "new"))
    assert store.get(JOB).result == "old"


def test_a_forgotten_job_was_never_done(store):
    store.put(Done(JOB, 1))
    store.forget(JOB)
    store.forget(JOB)
    assert store.get(JOB) is None


@pytest.mark.parametrize("text", ["{", "{}", "[]"])
def test_a_damaged_result_is_refused_in_a_sentence(store, text):
    store.put(Done(JOB, 1))
    (store.folder / f"{JOB.key}.json").write_text(text)
    with pytest.raises(InputError, match=r"unreadable result [0-9a-f]{64}\.json, .* delete it"):
        store.get(JOB)


def test_a_result_under_another_jobs_name_is_refused(store):
    other = replace(JOB, kind="train")
    store.put(Done(other, 1))
    (store.folder / f"{other.key}.json").rename(store.folder / f"{JOB.key}.json")
    with pytest.raises(InputError, match="unreadable result"):
        store.get(JOB)


@pytest.mark.parametrize(("name", "value"), [("result", {"dice": 0.6}), ("reason", "No lesion."), ("seconds", 9.0)])
def test_a_result_that_was_changed_is_refused_and_one_of_before_there_were_checksums_is_not(store, name, value):
    kept = store.put(Done(JOB, {"dice": 0.5}))
    path = store.folder / f"{JOB.key}.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps({n: v for n, v in told.items() if n != "sha256"}))
    assert store.get(JOB) == kept
    path.write_text(json.dumps({**told, name: value}))
    with pytest.raises(InputError, match="unreadable result"):
        store.get(JOB)


def test_what_is_not_as_it_was_planned_for_is_refused(tmp_path):
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / "CT.nii.gz").write_bytes(b"ct")
    planned = fingerprint_of(tmp_path / "case")
    check_unchanged(tmp_path / "case", planned)
    (tmp_path / "case" / "CT.nii.gz").write_bytes(b"other")
    with pytest.raises(InputError, match="case, which is not what it was when this was planned"):
        check_unchanged(tmp_path / "case", planned)


def test_a_fingerprint_changes_with_names_and_contents_and_with_nothing_else(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "CT.nii.gz").write_bytes(b"ct")
        (tmp_path / name / "deep" / "PET.nii.gz").write_bytes(b"pet")
    first = fingerprint_of(tmp_path / "one")
    assert fingerprint_of(tmp_path / "two") == first
    (tmp_path / "two" / "deep" / "PET.nii.gz").write_bytes(b"pex")
    assert fingerprint_of(tmp_path / "two") != first
    (tmp_path / "two" / "deep" / "PET.nii.gz").write_bytes(b"pet")
    (tmp_path / "two" / "CT.nii.gz").rename(tmp_path / "two" / "CT.nii")
    assert fingerprint_of(tmp_path / "two") != first


def test_a_fingerprint_of_one_file_is_of_its_name_and_content(tmp_path):
    (tmp_path / "split.json").write_bytes(b"{}")
    content = hashlib.sha256(b"{}").hexdigest()
    assert fingerprint_of(tmp_path / "split.json") == hashlib.sha256(f"split.json\n{content}\n".encode()).hexdigest()


def test_nothing_has_no_fingerprint(tmp_path):
    with pytest.raises(InputError, match="nothing in empty"):
        fingerprint_of(tmp_path / "empty")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="nothing in empty"):
        fingerprint_of(tmp_path / "empty")


def test_what_cannot_be_read_is_told_in_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "CT.nii.gz").write_bytes(b"ct")

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(hashlib, "file_digest", refused)
    with pytest.raises(InputError, match=r"CT\.nii\.gz of a, which cannot be read \(Permission denied\)"):
        fingerprint_of(tmp_path / "a")


def test_settings_have_a_fingerprint_whatever_their_order():
    assert fingerprint_of_values({"a": 1, "b": (2,)}) == fingerprint_of_values({"b": [2], "a": 1})
    assert fingerprint_of_values({"a": 1}) != fingerprint_of_values({"a": 2})
