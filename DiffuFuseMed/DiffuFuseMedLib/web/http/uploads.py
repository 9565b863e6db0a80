"""POST /upload: files, folders and zip archives, streamed to the session's private folder under its limits."""

from __future__ import annotations

import asyncio
import atexit
import errno
import logging
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from ...core.errors import InputError, input_error
from ...core.private_folder import PrivateFolder
from .limits import Account, Budget, Limits, NoSpaceError, TooLargeError, no_space
from .names import free_path, safe_path
from .unzip import prepared, unzip

log = logging.getLogger(__name__)
PREFIX = "diffufusemed-web-"
MALFORMED = (ValueError, AssertionError, web.HTTPException, HttpProcessingError)  # the last of a part's own header
_CHUNK = 2**20
_AGAIN = "upload it again"


@dataclass
class Upload:
    """One upload. files: paths relative to its folder, as uploaded or unpacked."""

    folder: Path
    files: list[str]
    account: Account


class Uploads:
    """The uploads of one session, in a private folder (0700) that goes with the process."""

    def __init__(self, base: Path | None = None, limits: Limits | None = None) -> None:
        """base: where to make the private folder, default the system's folder for temporary files."""
        self._private = PrivateFolder(PREFIX, base)
        atexit.register(self.remove)
        self.session = self._private.path
        self._made: dict[str, Upload] = {}
        self.budget = Budget(limits or Limits(), self.session)

    def folder(self, upload_id: str) -> Path:
        """Where an upload's files are; raises InputError for an id that is not (or no longer) there."""
        if upload_id not in self._made:
            raise input_error("an upload that is not there", "one of this session", _AGAIN)
        return self._made[upload_id].folder

    def files(self, upload_id: str) -> list[Path]:
        """An upload's files in the order in which they came."""
        folder = self.folder(upload_id)
        return [folder / name for name in self._made[upload_id].files]

    def discard(self, upload_id: str) -> None:
        """Delete an upload, which makes room for others; one that is not there is no error."""
        upload = self._made.pop(upload_id, None)
        if upload is not None:
            _undo(upload)

    def remove(self) -> None:
        """Delete the session's folder with everything in it; done at the end of the process too."""
        atexit.unregister(self.remove)
        self._made.clear()
        self._private.remove()

    def routes(self) -> Iterable[web.RouteDef]:
        return (web.post("/upload", self.receive),)

    async def receive(self, request: web.Request) -> web.Response:
        """Handle POST /upload: 200 {id, files: [...]} or 4xx / 507 {error: sentence}."""
        try:
            upload_id, upload = await self._received(request)
        except InputError as error:
            return web.json_response({"error": str(error)}, status=_status_of(error))
        return web.json_response({"id": upload_id, "files": upload.files})

    async def _received(self, request: web.Request) -> tuple[str, Upload]:
        self.budget.check(request.content_length or 0)
        upload_id = secrets.token_urlsafe(16).replace("-", "_")
        folder = self.session / "uploads" / upload_id
        folder.mkdir(mode=0o700, parents=True)
        upload = Upload(folder, [], Account(self.budget))
        try:
            await _stream(request, upload)
        except BaseException as error:  # also when the browser goes away: nothing is left of half an upload
            _undo(upload)
            explained = _explained(error)
            if explained is error:
                raise
            raise explained from error
        self._made[upload_id] = upload
        return upload_id, upload


async def _stream(request: web.Request, upload: Upload) -> None:
    if request.content_type != "multipart/form-data":
        raise input_error(f"an upload of type {request.content_type}", "a form with files", "use the upload button")
    async for part in await request.multipart():
        await _receive_part(part, upload)
    if not upload.files:
        raise input_error("an upload without files", "one file or more", "choose images, a folder or a zip archive")


async def _receive_part(part: BodyPartReader | MultipartReader | None, upload: Upload) -> None:
    if not isinstance(part, BodyPartReader) or part.filename is None:
        raise input_error("a part of the upload that is no named file", "files only", "rename it and " + _AGAIN)
    wanted = safe_path(part.filename)
    if wanted is None:  # what an operating system adds by itself
        return
    upload.account.file()
    path = prepared(upload.folder, wanted)
    with path.open("xb") as target:
        await _write(part, target, upload.account)
    found = await asyncio.to_thread(_unpacked, path, upload) if path.suffix.lower() == ".zip" else [path]
    upload.files += [file.relative_to(upload.folder).as_posix() for file in found]


async def _write(part: BodyPartReader, target: BinaryIO, account: Account) -> None:
    size = 0
    while not part.at_eof():
        chunk = await part.read_chunk(_CHUNK)
        size += len(chunk)
        account.take(len(chunk), size)
        await asyncio.to_thread(target.write, chunk)  # the event loop also sends the pictures


def _unpacked(archive: Path, upload: Upload) -> list[Path]:
    """Replace an archive by a folder of its name with its files in it."""
    folder = free_path(archive.parent, PurePosixPath(archive.stem or "archive"))
    folder.mkdir(mode=0o700)
    packed = archive.stat().st_size
    files = unzip(archive, folder, upload.account)
    archive.unlink()
    upload.account.give_back(packed)
    upload.account.files -= 1
    return files


def _undo(upload: Upload) -> None:
    shutil.rmtree(upload.folder, ignore_errors=True)
    upload.account.give_back()


def _explained(error: BaseException) -> BaseException:
    """The error as a sentence for whoever uploaded, where it has to do with the upload."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return no_space()
    if isinstance(error, MALFORMED) and not isinstance(error, InputError):
        log.info("an upload was malformed: %s", type(error).__name__)
        return input_error("an upload that was cut off or is malformed", "a whole one", _AGAIN)
    return error


def _status_of(error: InputError) -> int:
    return 413 if isinstance(error, TooLargeError) else 507 if isinstance(error, NoSpaceError) else 400
