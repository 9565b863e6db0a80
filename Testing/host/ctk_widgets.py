"""CTK's widgets as far as a module uses them: same properties, same signals at the same moments."""

# ruff: noqa: N801, N802, N815 (names that Qt and Slicer gave)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QSlider,
    QStyle,
    QStyleOptionButton,
    QTextBrowser,
    QToolButton,
    QWidget,
)

from . import records

STEPS = 10000  # of the drawn slider, whatever the range


def kept(name: str, kind: Any, default: Any, changed: str = "") -> Property:
    """A property that keeps its value and calls the method `changed` when it gets another."""
    key = f"_kept_{name}"

    def read(self: Any) -> Any:
        return getattr(self, key, default)

    def write(self: Any, value: Any) -> None:
        if value != read(self):
            setattr(self, key, value)
            if changed:
                getattr(self, changed)()

    return Property(kind, read, write)


class ctkSliderWidget(QWidget):
    """A ctkDoubleSlider, which tells when a hand takes it and lets go, with a number beside it. With tracking off, a
    change is told as valueIsChanging, then valueChanged."""

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)
    decimalsChanged = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value, self._low, self._high, self._digits, self._quiet = 0.0, 0.0, 99.0, 2, False
        self._pressed = False
        self._hand, self._box = ctkDoubleSlider(self), QDoubleSpinBox(self)
        self._hand.setObjectName("Slider")
        self._hand.layout().setContentsMargins(0, 0, 0, 0)
        self._slider = self._hand._slider
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._hand)
        row.addWidget(self._box)
        self._box.setKeyboardTracking(False)
        self._box.valueChanged.connect(self._typed)
        self._slider.sliderPressed.connect(self.pressed)
        self._slider.sliderMoved.connect(self._dragged)
        self._slider.sliderReleased.connect(self.released)
        self._draw()

    def setValue(self, value: float) -> None:
        self._change(value, finished=True)

    def drag(self, value: float) -> None:
        """As a hand does that has not let go yet."""
        self.pressed()
        self._change(value, finished=False)

    def pressed(self) -> None:
        """A hand takes it, unless it has it."""
        if not self._pressed:
            self._pressed = True
            self._hand.sliderPressed.emit()

    def released(self) -> None:
        """The hand lets go."""
        self._pressed = False
        self._hand.sliderReleased.emit()
        if not self.property("tracking"):
            self.valueChanged.emit(self._value)

    def setDecimals(self, digits: int) -> None:
        self._digits = int(digits)
        self._draw()
        self.decimalsChanged.emit(self._digits)

    def setSpinBoxVisible(self, visible: bool) -> None:
        self._box.setVisible(visible)

    def reset(self) -> None:
        self.setValue(0.0)

    def _change(self, value: float, finished: bool) -> None:
        fitted = round(min(max(float(value), self._low), self._high), self._digits)
        if fitted == self._value:
            return
        self._value = fitted
        self._draw()
        tracking = self.property("tracking")
        if not tracking:
            self.valueIsChanging.emit(fitted)
        if tracking or finished:
            self.valueChanged.emit(fitted)

    def _typed(self, value: float) -> None:
        if not self._quiet:
            self.setValue(value)

    def _dragged(self, step: int) -> None:
        self.drag(self._low + (self._high - self._low) * step / STEPS)

    def _draw(self) -> None:
        self._quiet = True
        self._box.setDecimals(self._digits)
        self._box.setRange(self._low, self._high)
        self._box.setSingleStep(self.property("singleStep"))
        self._box.setPrefix(self.property("prefix"))
        self._box.setSuffix(self.property("suffix"))
        self._box.setValue(self._value)
        span = self._high - self._low
        self._slider.setValue(round(STEPS * (self._value - self._low) / span) if span else 0)
        self._quiet = False

    def _bound(self, low: float, high: float) -> None:
        self._low, self._high = float(low), float(high)
        self._draw()
        self._change(self._value, finished=True)

    value = Property(float, lambda self: self._value, setValue)
    minimum = Property(float, lambda self: self._low, lambda self, v: self._bound(v, max(v, self._high)))
    maximum = Property(float, lambda self: self._high, lambda self, v: self._bound(min(v, self._low), v))
    decimals = Property(int, lambda self: self._digits, setDecimals)
    singleStep = kept("singleStep", float, 1.0, "_draw")
    pageStep = kept("pageStep", float, 10.0)
    tickInterval = kept("tickInterval", float, 0.0)
    tracking = kept("tracking", bool, True)
    prefix = kept("prefix", str, "", "_draw")
    suffix = kept("suffix", str, "", "_draw")
    popupSlider = kept("popupSlider", bool, False)
    spinBoxVisible = Property(bool, lambda self: not self._box.isHidden(), setSpinBoxVisible)


class ctkDoubleSlider(QWidget):
    """A slider of floats without a number beside it."""

    valueChanged = Signal(float)
    sliderMoved = Signal(float)
    sliderPressed = Signal()
    sliderReleased = Signal()
    rangeChanged = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value, self._low, self._high = 0.0, 0.0, 99.0
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setRange(0, STEPS)
        QHBoxLayout(self).addWidget(self._slider)

    def setValue(self, value: float) -> None:
        fitted = min(max(float(value), self._low), self._high)
        if fitted != self._value:
            self._value = fitted
            span = self._high - self._low
            self._slider.setValue(round(STEPS * (fitted - self._low) / span) if span else 0)
            self.valueChanged.emit(fitted)

    def setOrientation(self, orientation: Qt.Orientation) -> None:
        self._slider.setOrientation(orientation)

    def _bound(self, low: float, high: float) -> None:
        self._low, self._high = float(low), float(high)
        self.rangeChanged.emit(self._low, self._high)
        self.setValue(self._value)

    value = Property(float, lambda self: self._value, setValue)
    minimum = Property(float, lambda self: self._low, lambda self, v: self._bound(v, max(v, self._high)))
    maximum = Property(float, lambda self: self._high, lambda self, v: self._bound(min(v, self._low), v))
    singleStep = kept("singleStep", float, 1.0)
    pageStep = kept("pageStep", float, 10.0)
    tickInterval = kept("tickInterval", float, 0.0)
    tracking = kept("tracking", bool, True)
    orientation = Property(int, lambda self: self._slider.orientation().value,
                           lambda self, v: self._slider.setOrientation(Qt.Orientation(v)))  # fmt: skip


class ctkRangeWidget(QWidget):
    """Two values with a lower and an upper bound."""

    minimumValueChanged = Signal(float)
    maximumValueChanged = Signal(float)
    minimumValueIsChanging = Signal(float)
    maximumValueIsChanging = Signal(float)
    valuesChanged = Signal(float, float)
    rangeChanged = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values, self._range = (0.0, 99.0), (0.0, 99.0)
        self._boxes = QDoubleSpinBox(self), QDoubleSpinBox(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for box in self._boxes:
            row.addWidget(box)
        self._draw()

    def setValues(self, low: float, high: float) -> None:
        fitted = [
            round(min(max(float(v), self._range[0]), self._range[1]), self.property("decimals")) for v in (low, high)
        ]
        new, old = (min(fitted), max(fitted)), self._values
        if new == old:
            return
        self._values = new
        self._draw()
        for signal, before, after in zip((self.minimumValueChanged, self.maximumValueChanged), old, new, strict=True):
            if before != after:
                signal.emit(after)
        self.valuesChanged.emit(*new)

    def setMinimumValue(self, value: float) -> None:
        self.setValues(min(value, self._values[1]), self._values[1])

    def setMaximumValue(self, value: float) -> None:
        self.setValues(self._values[0], max(value, self._values[0]))

    def setRange(self, low: float, high: float) -> None:
        self._range = float(low), float(high)
        self.rangeChanged.emit(*self._range)
        self.setValues(*self._values)
        self._draw()

    def setDecimals(self, digits: int) -> None:
        self.setProperty("decimals", int(digits))

    def reset(self) -> None:
        self.setValues(*self._range)

    def _draw(self) -> None:
        for box, value in zip(self._boxes, self._values, strict=True):
            box.setDecimals(self.property("decimals"))
            box.setRange(*self._range)
            box.setSuffix(self.property("suffix"))
            box.setValue(value)

    minimum = Property(float, lambda self: self._range[0], lambda self, v: self.setRange(v, max(v, self._range[1])))
    maximum = Property(float, lambda self: self._range[1], lambda self, v: self.setRange(min(v, self._range[0]), v))
    minimumValue = Property(float, lambda self: self._values[0], setMinimumValue)
    maximumValue = Property(float, lambda self: self._values[1], setMaximumValue)
    decimals = kept("decimals", int, 2, "_draw")
    singleStep = kept("singleStep", float, 1.0)
    tracking = kept("tracking", bool, True)
    suffix = kept("suffix", str, "", "_draw")
    prefix = kept("prefix", str, "")


COLLAPSED = "hiddenByCollapse"


class ctkCollapsibleButton(QAbstractButton):
    """A title that shows or hides what lies under it."""

    contentsCollapsed = Signal(bool)

    def __init__(self, parent: Any = None) -> None:
        title = parent if isinstance(parent, str) else ""
        super().__init__(None if isinstance(parent, str) else parent)
        self.setText(title)
        self.setCheckable(True)
        self.setChecked(True)
        self.setContentsMargins(4, 24, 4, 4)
        self.toggled.connect(self._show)

    def paintEvent(self, event: Any) -> None:
        option, painter = QStyleOptionButton(), QPainter(self)
        option.initFrom(self)
        option.rect.setHeight(22)
        option.text = ("▾ " if self.isChecked() else "▸ ") + self.text()
        self.style().drawControl(QStyle.ControlElement.CE_PushButton, option, painter, self)

    def hitButton(self, position: Any) -> bool:
        return position.y() < 22

    def sizeHint(self) -> Any:
        return self.layout().sizeHint() if self.layout() and self.isChecked() else super().sizeHint()

    def minimumSizeHint(self) -> Any:
        return self.sizeHint()

    def _show(self, expanded: bool) -> None:
        self.setMaximumHeight(16777215 if expanded else 22)
        _show_children(self, expanded)
        self.contentsCollapsed.emit(not expanded)

    collapsed = Property(bool, lambda self: not self.isChecked(), lambda self, v: self.setChecked(not v))
    flat = kept("flat", bool, False)
    collapsedHeight = kept("collapsedHeight", int, 10)
    contentsFrameShape = kept("contentsFrameShape", int, 0)


class ctkCollapsibleGroupBox(QGroupBox):
    """A group box whose check mark shows or hides what it holds."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent) if isinstance(parent, str) else super().__init__("", parent)
        self.setCheckable(True)
        self.setChecked(True)
        self.toggled.connect(lambda expanded: _show_children(self, expanded))

    def showEvent(self, event: Any) -> None:
        """CTK hides what is added to a box that is collapsed already, as a .ui file does."""
        if not self.isChecked():
            _show_children(self, False)
        super().showEvent(event)

    collapsed = Property(bool, lambda self: not self.isChecked(), lambda self, v: self.setChecked(not v))
    collapsedHeight = kept("collapsedHeight", int, 14)


def _show_children(widget: QWidget, shown: bool) -> None:
    """Hide what is not hidden yet, or show that again: a child that the module hid stays so, as in CTK."""
    for child in filter(lambda c: isinstance(c, QWidget), widget.children()):
        if not shown and not child.isHidden():
            child.hide()
            child.setProperty(COLLAPSED, True)
        elif shown and child.property(COLLAPSED):
            child.setProperty(COLLAPSED, False)
            child.show()


class ctkPathLineEdit(QWidget):
    """A path that is typed or browsed for."""

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)
    Dirs, Files, Drives, Readable, Writable, Executable, Hidden = 0x001, 0x002, 0x004, 0x010, 0x020, 0x040, 0x100

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line, self._button = QLineEdit(self), QToolButton(self)
        self._button.setText("...")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._line)
        row.addWidget(self._button)
        self._line.textChanged.connect(self.currentPathChanged)
        self._button.clicked.connect(self.browse)

    def setCurrentPath(self, path: str) -> None:
        self._line.setText(str(path))

    def browse(self) -> None:
        if chosen := records.file_answer():
            self.setCurrentPath(str(chosen))

    def addCurrentPathToHistory(self) -> None:
        """The history is the settings' own business."""

    currentPath = Property(str, lambda self: self._line.text(), setCurrentPath)
    filters = kept("filters", int, Files | Readable)
    nameFilters = kept("nameFilters", "QStringList", [])
    settingKey = kept("settingKey", str, "")
    label = kept("label", str, "")
    showBrowseButton = Property(
        bool, lambda self: not self._button.isHidden(), lambda self, v: self._button.setVisible(v)
    )
    showHistoryButton = kept("showHistoryButton", bool, True)


class ctkDirectoryButton(QWidget):
    """A folder, shown on the button that changes it."""

    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._button, self._directory = QPushButton(self), "."
        QHBoxLayout(self).addWidget(self._button)
        self._button.clicked.connect(self.browse)

    def browse(self) -> None:
        if chosen := records.file_answer():
            self._set(str(chosen))
            self.directorySelected.emit(self._directory)

    def _set(self, directory: str) -> None:
        if directory != self._directory:
            self._directory = directory
            self._button.setText(directory)
            self.directoryChanged.emit(directory)

    directory = Property(str, lambda self: self._directory, _set)
    caption = kept("caption", str, "")
    text = Property(str, lambda self: self._button.text(), lambda self, v: self._button.setText(v))
    icon = Property(QIcon, lambda self: self._button.icon(), lambda self, v: self._button.setIcon(v))


class ctkComboBox(QComboBox):
    """A combo box with a text for "nothing chosen"."""

    defaultText = kept("defaultText", str, "")
    forceDefault = kept("forceDefault", bool, False)

    def setCurrentUserDataAsString(self, data: str) -> None:
        self.setCurrentIndex(self.findData(data))

    currentUserDataAsString = Property(str, lambda self: str(self.currentData() or ""), setCurrentUserDataAsString)


class ctkCheckableComboBox(QComboBox):
    """A combo box whose items have a check mark each."""

    checkedIndexesChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(QStandardItemModel(0, 1, self))
        self.model().dataChanged.connect(lambda *_: self.checkedIndexesChanged.emit())

    def checkableModel(self) -> Any:
        return self.model()

    def checkState(self, index: Any) -> Qt.CheckState:
        return Qt.CheckState(index.data(Qt.ItemDataRole.CheckStateRole) or 0)

    def setCheckState(self, index: Any, state: Qt.CheckState) -> None:
        self.model().setData(index, Qt.CheckState(state).value, Qt.ItemDataRole.CheckStateRole)

    def checkedIndexes(self) -> list:
        rows = [self.model().index(i, 0) for i in range(self.count())]
        return [r for r in rows if self.checkState(r) == Qt.CheckState.Checked]

    def allChecked(self) -> bool:
        return len(self.checkedIndexes()) == self.count()

    def noneChecked(self) -> bool:
        return not self.checkedIndexes()


class ctkFittedTextBrowser(QTextBrowser):
    """A text as high as its contents."""

    collapsed = kept("collapsed", bool, True)

    def setCollapsibleText(self, text: str) -> None:
        self.setHtml(text)


class ctkMessageBox(QMessageBox):
    """A message box that can be told not to come again; the stand-in records it."""

    dontShowAgainVisible = kept("dontShowAgainVisible", bool, False)
    dontShowAgainSettingsKey = kept("dontShowAgainSettingsKey", str, "")
    dontShowAgain = kept("dontShowAgain", bool, False)


def _plain(name: str, base: type) -> type:
    """A CTK class that adds nothing this stand-in needs to the one of Qt below it."""
    return type(name, (base,), {"__doc__": f"CTK's {name}."})


PLAIN: dict[str, Callable] = {
    "ctkCheckBox": QCheckBox, "ctkPushButton": QPushButton, "ctkMenuButton": QPushButton,
    "ctkExpandButton": QToolButton, "ctkSearchBox": QLineEdit,
}  # fmt: skip
CTK = [
    ctkSliderWidget, ctkDoubleSlider, ctkRangeWidget, ctkCollapsibleButton, ctkCollapsibleGroupBox, ctkPathLineEdit,
    ctkDirectoryButton, ctkComboBox, ctkCheckableComboBox, ctkFittedTextBrowser, ctkMessageBox,
    *(_plain(name, base) for name, base in PLAIN.items()),
]  # fmt: skip
