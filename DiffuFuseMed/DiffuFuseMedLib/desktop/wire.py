"""Wires: a widget's signal to a call, and a parameter to a widget. What a call raises is told, never lost in Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import qt

from ..session import Parameters, Session

Complain = Callable[[BaseException], None]


class Wire:
    """complain(error): told of what a call raises."""

    def __init__(self, complain: Complain) -> None:
        self._complain = complain

    def __call__(self, widget: Any, signal: str, call: Callable[..., None]) -> None:
        """Connect; call takes the signal's arguments. LookupError for a signal that the widget does not have."""

        def guarded(*arguments: Any) -> None:
            try:
                call(*arguments)
            except Exception as error:
                self._complain(error)

        if not widget.connect(signal, guarded):
            raise LookupError(f"{widget.className()} has no signal {signal}")


class Choice:
    """A combo box of (value, title); chosen(value): the reader chose another one."""

    def __init__(self, combo: Any, wire: Wire, chosen: Callable[[Any], None]) -> None:
        self._combo, self._chosen = combo, chosen
        self._choices: list[tuple[Any, str]] = []
        wire(combo, "currentIndexChanged(int)", self._changed)

    @property
    def value(self) -> Any:
        """What is chosen, None when nothing is."""
        index = self._combo.currentIndex
        return self._choices[index][0] if 0 <= index < len(self._choices) else None

    def offer(self, choices: Iterable[tuple[Any, str]]) -> None:
        """What there is to choose from; what was chosen stays chosen where it can."""
        choices, before = list(choices), self.value
        if choices == self._choices:
            return
        was = self._combo.blockSignals(True)
        self._choices = choices
        self._combo.clear()
        for _value, title in choices:
            self._combo.addItem(title)
        self._combo.blockSignals(was)
        self.show(before)

    def show(self, value: Any) -> None:
        values = [choice for choice, _title in self._choices]
        put(self._combo, "currentIndex", values.index(value) if value in values else (0 if values else -1))

    def _changed(self, _index: int) -> None:
        if self._choices:
            self._chosen(self.value)


class Values:
    """Widgets that show and set one parameter each."""

    def __init__(self, session: Session, wire: Wire) -> None:
        self._session, self._wire = session, wire
        self._draws: list[Callable[[Parameters], None]] = []

    def number(self, widget: Any, name: str, whole: bool = False) -> None:
        """A slider, or a spin box of whole numbers."""
        kind = int if whole else float
        signal = "valueChanged(int)" if whole else "valueChanged(double)"
        self._wire(widget, signal, lambda value: self._session.set(**{name: kind(value)}))
        self._draws.append(lambda parameters: put(widget, "value", kind(getattr(parameters, name))))

    def check(self, widget: Any, name: str) -> None:
        self._wire(widget, "toggled(bool)", lambda on: self._session.set(**{name: bool(on)}))
        self._draws.append(lambda parameters: put(widget, "checked", getattr(parameters, name)))

    def choice(self, combo: Any, name: str, choices: Iterable[tuple[Any, str]] = ()) -> Choice:
        choice = Choice(combo, self._wire, lambda value: self._session.set(**{name: value}))
        choice.offer(choices)
        self._draws.append(lambda parameters: choice.show(getattr(parameters, name)))
        return choice

    def draw(self) -> None:
        """Every widget as the parameters are."""
        for draw in self._draws:
            draw(self._session.parameters)


def put(widget: Any, name: str, value: Any) -> None:
    """Set a property without its signal; nothing when it is so already."""
    if getattr(widget, name) == value:
        return
    was = widget.blockSignals(True)
    setattr(widget, name, value)
    widget.blockSignals(was)


def fill(table: Any, rows: list[list[str]], icons: list[Any] | None = None) -> None:
    """Cells of a QTableWidget, read only; icons: of the first cell of each row."""
    was = table.blockSignals(True)
    table.setRowCount(len(rows))
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(text)
            item.setFlags(qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled)
            if icons and c == 0:
                item.setIcon(icons[r])
            table.setItem(r, c, item)
    table.resizeColumnsToContents()
    table.blockSignals(was)


def head(table: Any, titles: list[str]) -> None:
    """Columns of a QTableWidget whose rows are chosen as a whole."""
    table.setColumnCount(len(titles))
    table.setHorizontalHeaderLabels(titles)
    table.verticalHeader().setVisible(False)
    table.horizontalHeader().setStretchLastSection(True)
    table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
    table.setSelectionMode(qt.QAbstractItemView.SingleSelection)
