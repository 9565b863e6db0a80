"""Files between the reader's machine and the workspace: what was uploaded, what is offered for download."""

from __future__ import annotations

from pathlib import Path

from .http import Downloads, Uploads

LOOSE = "uploaded files"  # the case's name when its files came without a folder


class PageFiles:
    """uploads, downloads: of web/http."""

    def __init__(self, uploads: Uploads, downloads: Downloads) -> None:
        self._uploads, self._downloads = uploads, downloads
        self._came: dict[str, Path] = {}  # each upload's own folder by its id

    def folder(self, upload_id: str) -> Path:
        """Where an upload's files are, below the folders that hold nothing else (a chosen folder, an archive). Raises
        InputError for an upload that is not there."""
        found = self._came[upload_id] = self._uploads.folder(upload_id)
        while len(inside := list(found.iterdir())) == 1 and inside[0].is_dir():
            found = inside[0]
        return found if found != self._uploads.folder(upload_id) else _named(found)

    def keep_only(self, *wanted: Path | None) -> None:
        """Discard the uploads in which none of these folders is, which makes room for others."""
        needed = [path.resolve() for path in wanted if path is not None]
        for upload_id, folder in list(self._came.items()):
            if not any(path.is_relative_to(folder.resolve()) for path in needed):
                self._uploads.discard(upload_id)
                del self._came[upload_id]

    def place(self, name: str) -> Path:
        """Where to write a file that is offered then."""
        return self._downloads.new_path(name)

    def offer(self, path: Path, name: str) -> str:
        """The address that gives the file once."""
        return self._downloads.offer(path, name)


def _named(folder: Path) -> Path:
    """A case is called by its folder, which here has the upload's random id: one with a name a reader can read."""
    loose = list(folder.iterdir())
    named = folder / LOOSE
    named.mkdir()
    for path in loose:
        path.rename(named / path.name)
    return named
