"""What comes in: streamed under limits into a private folder, whole or not at all."""

import asyncio
import io
import os
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import pytest
from aiohttp import ClientConnectionError, FormData, MultipartWriter
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.web.http import Downloads, Uploads

BOUNDARY = "xyzzy"
OWNER = """
import sys, time
from pathlib import Path
from DiffuFuseMedLib.web.http import Uploads
print(Uploads(Path(sys.argv[1])).session, flush=True)
time.sleep(float(sys.argv[2]))
"""


def form(files, kind="application/octet-stream"):
    data = FormData(quote_fields=False)
    for name, content in files:
        body = io.BytesIO(content) if len(content) > 2**19 else content  # aiohttp warns of large bytes
        data.add_field("file", body, filename=name, content_type=kind)
    return data


async def post(visitor, files):
    async with visitor.post("/upload", data=form(files)) as answer:
        return answer.status, await answer.json()


def a_zip(entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def files_below(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_folder_arrives_with_its_structure_and_can_be_discarded(uploading):
    sent = {"study/CT/1.dcm": b"A" * 3_000_000, "study/CT/2.dcm": b"", "study/PET/1.dcm": b"B\r\n--xyzzy"}

    async def run():
        async with uploading() as (visitor, uploads):
            status, answer = await post(visitor, [*sent.items(), ("study/.DS_Store", b"x")])
            assert (status, answer["files"]) == (200, list(sent))
            folder = uploads.folder(answer["id"])
            assert files_below(folder) == sent
            assert [p.read_bytes() for p in uploads.files(answer["id"])] == list(sent.values())
            assert uploads.budget.used_bytes == 3_000_010
            assert uploads.session.stat().st_mode & 0o777 == folder.stat().st_mode & 0o777 == 0o700
            uploads.discard(answer["id"])
            uploads.discard(answer["id"])
            assert not folder.exists() and uploads.budget.used_bytes == 0
            with pytest.raises(InputError, match="not there"):
                uploads.folder(answer["id"])

    asyncio.run(run())


def test_an_archive_arrives_unpacked_in_a_folder_of_its_name(uploading):
    async def run():
        async with uploading() as (visitor, uploads):
            entries = {"CT/1.dcm": b"A" * 1000, "inner.zip": a_zip({"x": b"1"})}
            status, answer = await post(
                visitor, [("study.ZIP", a_zip(entries)), ("study", b"other"), ("s.mrb", b"kept")]
            )
            assert status == 200
            assert answer["files"] == ["study/CT/1.dcm", "study/inner.zip", "study-2", "s.mrb"]
            found = files_below(uploads.folder(answer["id"]))
            assert found["study/CT/1.dcm"] == b"A" * 1000 and "study.ZIP" not in found
            assert uploads.budget.used_bytes == sum(map(len, found.values()))

    asyncio.run(run())


@pytest.mark.parametrize("name", ["../../../evil.dcm", "/etc/evil.dcm", "a/../../../../evil.dcm"])
def test_no_name_leads_out_of_the_folder(uploading, name):
    async def run():
        async with uploading() as (visitor, uploads):
            status, answer = await post(visitor, [(name, b"1")])
            assert status == 200 and answer["files"][0].endswith("evil.dcm")
            assert list(files_below(uploads.folder(answer["id"]))) == answer["files"]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("limits", "files", "status", "said"),
    [
        ({"total_bytes": 1000}, [("a", bytes(2000))], 413, "upload limit"),
        ({"file_bytes": 1000}, [("a", bytes(900)), ("b", bytes(1001))], 413, "one file"),
        ({"files": 2}, [("a", b"1"), ("b", b"1"), ("c", b"1")], 413, "more than 2 files"),
        ({"zip_free_bytes": 1000}, [("a.zip", a_zip({"zeros": bytes(10**6)}))], 413, "out of proportion"),
        ({}, [("a.zip", a_zip({"../x": b"1"}))], 400, "lead out"),
        ({}, [("a.zip", b"no archive")], 400, "damaged"),
        ({}, [("good.dcm", b"1"), ("good.dcm/x", b"2")], 400, "same name"),
        ({}, [(".DS_Store", b"1")], 400, "without files"),
    ],
)
def test_what_is_refused_says_why_in_one_sentence_and_leaves_nothing(uploading, limits, files, status, said):
    async def run():
        async with uploading(**limits) as (visitor, uploads):
            got, answer = await post(visitor, files)
            assert got == status and list(answer) == ["error"]
            assert said in answer["error"] and answer["error"].startswith("Given ") and answer["error"].endswith(".")
            assert files_below(uploads.session / "uploads") == {} and uploads.budget.used_bytes == 0

    asyncio.run(run())


def test_a_stream_of_unknown_length_is_refused_while_it_comes(uploading):
    """Two thousand chunks are offered and the limit is that of two: most are never sent."""
    sent = 0

    async def endless():
        nonlocal sent
        yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'.encode()
        for _ in range(2000):
            sent += 1
            yield bytes(2**20)
            await asyncio.sleep(0)

    async def run():
        async with uploading(total_bytes=2 * 2**20) as (visitor, uploads):
            headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
            try:
                async with visitor.post("/upload", data=endless(), headers=headers) as answer:
                    assert answer.status == 413
            except ClientConnectionError:  # the server may hang up on a client that goes on talking
                pass
            assert files_below(uploads.session) == {"lock": b""} and uploads.budget.used_bytes == 0

    asyncio.run(run())
    assert sent < 1000


@pytest.mark.parametrize("end", ["middle of a file", "no last boundary", "no boundary at all"])
def test_an_upload_that_is_cut_off_leaves_nothing(uploading, end):
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'.encode()
    body = {"middle of a file": head + bytes(5000), "no last boundary": head + b"1\r\n", "no boundary at all": b"x"}[
        end
    ]

    async def run():
        async with uploading() as (visitor, uploads):
            headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
            async with visitor.post("/upload", data=body, headers=headers) as answer:
                assert answer.status == 400 and "cut off" in (await answer.json())["error"]
            assert files_below(uploads.session) == {"lock": b""} and uploads.budget.used_bytes == 0

    asyncio.run(run())


@pytest.mark.parametrize("header", ["X-Long: " + 9000 * "a", 200 * "X-A: b\r\n" + "X-Z: c"])
def test_a_part_whose_header_has_no_end_is_refused_in_a_sentence(uploading, header):
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n{header}\r\n\r\n1'
    body = f"{head}\r\n--{BOUNDARY}--\r\n".encode()

    async def run():
        async with uploading() as (visitor, uploads):
            headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
            async with visitor.post("/upload", data=body, headers=headers) as answer:
                assert answer.status == 400 and "malformed" in (await answer.json())["error"]
            assert files_below(uploads.session) == {"lock": b""} and uploads.budget.used_bytes == 0

    asyncio.run(run())


def test_a_browser_that_goes_away_leaves_nothing(uploading):
    async def run():
        async with uploading() as (visitor, uploads):
            _, writer = await asyncio.open_connection("127.0.0.1", visitor.port)
            head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
            lines = ["POST /upload HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 9000000"]
            lines += [f"Content-Type: multipart/form-data; boundary={BOUNDARY}", "", head]
            writer.write("\r\n".join(lines).encode() + bytes(400_000))
            await writer.drain()
            while uploads.budget.used_bytes == 0:
                await asyncio.sleep(0.01)
            assert len(files_below(uploads.session)) == 2
            writer.transport.abort()
            while uploads.budget.used_bytes:
                await asyncio.sleep(0.01)
            assert files_below(uploads.session) == {"lock": b""}

    asyncio.run(asyncio.wait_for(run(), 20))


@pytest.mark.parametrize("kind", ["field", "nested", "json"])
def test_what_is_no_form_of_files_is_refused(uploading, kind):
    nested = MultipartWriter("mixed")
    outer = MultipartWriter("form-data")
    outer.append(nested)
    data = {"field": form([(None, "text")], None), "nested": outer, "json": None}[kind]

    async def run():
        body = {"json": {}} if kind == "json" else {"data": data}
        async with uploading() as (visitor, _), visitor.post("/upload", **body) as answer:
            assert answer.status == 400 and "wanted" in (await answer.json())["error"]

    asyncio.run(run())


def test_two_uploads_at_once_are_kept_apart_and_share_the_limit(uploading):
    async def run():
        async with uploading(total_bytes=5_000_000) as (visitor, uploads):
            ones, others = ([("a", c * 2_000_000)] for c in (b"1", b"2"))
            (s1, a1), (s2, a2) = await asyncio.gather(post(visitor, ones), post(visitor, others))
            assert (s1, s2) == (200, 200) and a1["id"] != a2["id"]
            assert files_below(uploads.folder(a1["id"])) == dict(ones)
            assert files_below(uploads.folder(a2["id"])) == dict(others)
            assert (await post(visitor, ones))[0] == 413
            uploads.discard(a1["id"])
            assert (await post(visitor, ones))[0] == 200
            assert files_below(uploads.folder(a2["id"])) == dict(others)

    asyncio.run(run())


def test_a_full_disk_is_said_to_be_one(uploading, monkeypatch):
    async def run():
        async with uploading() as (visitor, uploads):
            monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
            status, answer = await post(visitor, [("a", bytes(1000))])
            assert status == 507 and "disk" in answer["error"]
            assert files_below(uploads.session) == {"lock": b""}

    asyncio.run(run())


@pytest.mark.parametrize("end", ["exit", "kill"])
def test_the_folder_goes_with_its_process_however_that_ends(tmp_path, end):
    command = [sys.executable, "-c", OWNER, str(tmp_path), "0" if end == "exit" else "100"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as owner:
        theirs = tmp_path / owner.stdout.readline().strip()
        if end == "kill":
            owner.kill()
    assert theirs.exists() == (end == "kill")
    mine = Uploads(tmp_path)  # sweeps what a dead process left
    assert list(tmp_path.iterdir()) == [mine.session]
    mine.remove()
    mine.remove()
    assert list(tmp_path.iterdir()) == []


def test_only_files_inside_the_session_are_offered(tmp_path):
    (tmp_path / "session").mkdir()
    (tmp_path / "secret").write_text("s")
    downloads = Downloads(tmp_path / "session")
    inside = downloads.new_path("../a scene.mrb")
    assert inside.name == "a scene.mrb" and inside.parent.stat().st_mode & 0o777 == 0o700
    inside.symlink_to(tmp_path / "secret")
    for path in (inside, tmp_path / "secret", tmp_path / "session", tmp_path / "session" / ".." / "secret"):
        with pytest.raises(InputError, match="outside"):
            downloads.offer(path, "x")
    inside.unlink()
    inside.write_text("scene")
    first, second = downloads.offer(inside, "x"), downloads.offer(inside, "x")
    assert first != second and len(first) == len("/download/") + 43
