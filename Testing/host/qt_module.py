"""The module `qt`: Qt's own classes, with dialogs that record and answer instead of waiting for a hand."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from . import records, ui_loader
from .proxy import CONSTRUCTORS, EXTRAS, STATICS, NotCovered, proxy_class, unwrap, wrap
from .signals import guarded

CORE = """Qt QByteArray QCoreApplication QDate QDateTime QDir QEvent QFile QFileInfo QItemSelection QItemSelectionModel
QLocale QMargins QModelIndex QObject QPoint QPointF QProcess QProcessEnvironment QRect QSettings QSignalBlocker QSize
QStandardPaths QThread QTimer QUrl"""
GUI = """QAction QActionGroup QBrush QColor QCursor QDesktopServices QFont QIcon QImage QKeySequence QPalette QPen
QPixmap QShortcut QStandardItem QStandardItemModel QTextCursor QTextDocument"""
WIDGETS = """QAbstractButton QAbstractItemView QApplication QBoxLayout QButtonGroup QCheckBox QComboBox QDialog
QDialogButtonBox QDockWidget QDoubleSpinBox QFileDialog QFormLayout QFrame QGridLayout QGroupBox QHBoxLayout QHeaderView
QInputDialog QLabel QLayout QLineEdit QListWidget QListWidgetItem QMainWindow QMenu QMessageBox QPlainTextEdit
QProgressBar QProgressDialog QPushButton QRadioButton QScrollArea QScrollBar QSizePolicy QSlider QSpacerItem QSpinBox
QSplitter QStackedWidget QStatusBar QStyle QTabWidget QTableWidget QTableWidgetItem QTextBrowser QTextEdit QToolBar
QToolButton QToolTip QTreeWidget QTreeWidgetItem QVBoxLayout QWidget"""
_folder = tempfile.TemporaryDirectory(prefix="slicer-settings-")


def build() -> ModuleType:
    """The module, ready for sys.modules["qt"]."""
    module = ModuleType("qt")
    for home, names in ((QtCore, CORE), (QtGui, GUI), (QtWidgets, WIDGETS)):
        for name in names.split():
            setattr(module, name, proxy_class(getattr(home, name)))
    module.QUiLoader = proxy_class(ui_loader.QUiLoader)
    # PythonQt has no QString, QVariant or QStringList: Python's own str, values and lists are used.
    return module


def settings(*arguments: Any) -> QtCore.QSettings:
    """Slicer keeps settings in an .ini file; here it is a temporary one, whatever name is asked for."""
    if arguments and isinstance(arguments[0], str) and len(arguments) == 2:
        return QtCore.QSettings(*arguments)
    return QtCore.QSettings(str(Path(_folder.name) / "Slicer.ini"), QtCore.QSettings.Format.IniFormat)


def clear_settings() -> None:
    settings().clear()


# Threads: PythonQt's singleShot from a Python thread never fires.
def single_shot(milliseconds: int, callee: Any) -> None:
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            "QTimer.singleShot from a Python thread never fires in Slicer: poll from a main-thread timer"
        )
    QtCore.QTimer.singleShot(int(milliseconds), guarded(callee, "timeout()", wrap))


# Dialogs
BUTTON = QtWidgets.QMessageBox.StandardButton
KINDS = {"information": "info", "warning": "warning", "critical": "error", "question": "question", "about": "info"}
AGREE = (BUTTON.Ok, BUTTON.Yes, BUTTON.Save, BUTTON.Close, BUTTON.Retry)


def message(kind: str, title: str, text: str, buttons: int, detail: str = "") -> Any:
    """Record it and answer."""
    told = [m.text for m in records.messages[-1:]] if kind == "ctkMessageBox" else []
    if text not in told:  # slicer.util's own boxes were recorded when they were asked for
        records.messages.append(records.Shown(kind, text, title, detail))
    return answer(buttons)


def answer(buttons: int) -> Any:
    """The queued button, or the first of these that agrees."""
    if records.message_answers:
        return records.message_answers.popleft()
    return wrap(next((b for b in AGREE if b.value & int(buttons)), BUTTON.Ok))


def _static_message(kind: str) -> Any:
    def show(parent: Any, title: str, text: str, buttons: int = BUTTON.Ok.value, default: int = 0) -> Any:
        return message(kind, title, text, buttons)

    return show


def _exec_message(self: Any) -> Any:
    box = self._qt
    buttons = int(box.standardButtons().value)
    return message(type(self).__name__, box.windowTitle(), box.text(), buttons, box.detailedText())


def _exec_dialog(self: Any) -> int:
    """A modal dialog: recorded, and accepted unless the test queued another answer."""
    records.messages.append(records.Shown(type(self).__name__, self._qt.windowTitle()))
    code = int(records.message_answers.popleft()) if records.message_answers else 1
    self._qt.done(code)
    return code


def _file_dialog(parent: Any = None, caption: str = "", folder: str = "", name_filter: str = "", *rest: Any) -> Any:
    answer = records.file_answer()
    return tuple(str(a) for a in answer) if isinstance(answer, list | tuple) else str(answer)


def _text_dialog(parent: Any, title: str, label: str, *rest: Any) -> str:
    """PythonQt gives the text alone: the `ok` of C++ is an argument there."""
    records.messages.append(records.Shown("QInputDialog", label, title))
    return str(records.message_answers.popleft()) if records.message_answers else ""


def _write(self: Any, data: Any) -> int:
    return self._qt.write(data.encode() if isinstance(data, str) else unwrap(data))


def _open_url(url: Any) -> bool:
    records.urls.append(unwrap(url).toString())
    return True


def _refuse_modal(self: Any, *arguments: Any) -> None:
    raise NotCovered(f"{type(self).__name__} that waits for a hand")


FILE_NAMES = ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory")
STATICS["QFileDialog"] = dict.fromkeys(FILE_NAMES, _file_dialog)
STATICS["QInputDialog"] = {"getText": _text_dialog, "getItem": _text_dialog}
STATICS["QMessageBox"] = {name: _static_message(kind) for name, kind in KINDS.items()}
STATICS["QTimer"] = {"singleShot": single_shot}
STATICS["QDesktopServices"] = {"openUrl": _open_url}
EXTRAS["QMessageBox"] = {"exec": _exec_message}
EXTRAS["ctkMessageBox"] = {"exec": _exec_message}
EXTRAS["QDialog"] = {"exec": _exec_dialog}
EXTRAS["QFileDialog"] = EXTRAS["QMenu"] = {"exec": _refuse_modal}
EXTRAS["QProcess"] = {"write": _write}
EXTRAS["QUiLoader"] = {"load": lambda self, file, parent=None: wrap(self._qt.read(unwrap(file), unwrap(parent)))}
CONSTRUCTORS["QSettings"] = settings
