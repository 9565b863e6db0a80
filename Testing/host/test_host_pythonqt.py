"""Section by section what PythonQt refuses; each of these passes without a word in plain PySide."""

import functools
import sys
import threading

import pytest

import host

pytestmark = pytest.mark.usefixtures("a_scene")


def test_a_property_is_an_attribute_and_calling_it_is_a_type_error():
    import ctk
    import qt

    label, slider, combo = qt.QLabel("one"), ctk.ctkSliderWidget(), qt.QComboBox()
    combo.addItems(["a", "b"])
    label.text, slider.value = "two", 3
    assert (label.text, slider.value, combo.currentText, combo.count) == ("two", 3.0, "a", 2)
    for read in (lambda: label.text(), lambda: slider.value(), lambda: combo.currentText()):
        with pytest.raises(TypeError, match="not callable"):
            read()


def test_what_is_no_property_stays_a_method():
    import qt

    table, widget = qt.QTableWidget(2, 1), qt.QWidget()
    table.setItem(0, 0, qt.QTableWidgetItem("cell"))
    widget.setLayout(qt.QVBoxLayout())
    assert (table.item(0, 0).text(), table.currentRow(), table.rowCount) == ("cell", -1, 2)
    assert widget.layout().className() == "QVBoxLayout"
    assert widget.children() == (widget.layout(),)


@pytest.mark.parametrize("make", ["qt.QLabel()", "ctk.ctkSliderWidget()", "qt.QTableWidgetItem('x')", "qt.QSize(1, 2)",
                                  "slicer.qMRMLNodeComboBox()", "slicer.app", "qt.QTimer()"])  # fmt: skip
def test_an_unknown_attribute_is_refused_when_read_and_when_written(make):
    import ctk
    import qt
    import slicer

    thing = eval(make, {"qt": qt, "ctk": ctk, "slicer": slicer})
    with pytest.raises(AttributeError):
        thing.colour  # noqa: B018 (the reading is what is tested)
    with pytest.raises(AttributeError):
        thing.colour = "red"


def test_a_property_that_cannot_be_written_is_refused():
    import qt

    with pytest.raises(AttributeError, match="does not accept"):
        qt.QComboBox().count = 3
    with pytest.raises(AttributeError, match="does not exist"):
        qt.QLabel().show = 3


def test_ctk_widgets_have_only_the_setters_that_were_measured():
    import ctk

    slider = ctk.ctkSliderWidget()
    slider.setDecimals(1)
    for absent in ("setMinimum", "setMaximum", "setSingleStep", "setTracking", "drag", "released"):
        with pytest.raises(AttributeError):
            getattr(slider, absent)
    slider.minimum, slider.maximum, slider.singleStep = -1, 1, 0.5
    assert (slider.minimum, slider.maximum) == (-1, 1)


def test_what_slicer_has_and_the_stand_in_has_not_says_so():
    import ctk
    import slicer

    with pytest.raises(host.NotCovered, match="checkableModelHelper"):
        ctk.ctkCheckableComboBox().checkableModelHelper()
    with pytest.raises(host.NotCovered, match="launchDesigner"):
        slicer.app.launchDesigner()


def test_members_of_qt6_alone_are_refused():
    import qt

    with pytest.raises(AttributeError):
        qt.QCheckBox().checkStateChanged  # noqa: B018
    with pytest.raises(AttributeError):
        qt.QWidget().accessibleIdentifier  # noqa: B018


def test_keyword_arguments_are_value_errors():
    import ctk
    import qt

    widget = qt.QWidget()
    for call in (
        lambda: qt.QLabel("x", parent=widget), lambda: ctk.ctkSliderWidget(parent=widget),
        lambda: widget.show(now=True),
        lambda: qt.QMessageBox.question(None, "t", text="x"), lambda: widget.inherits(name="QWidget"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="PythonQt takes none"):
            call()


def test_a_wrong_number_of_arguments_is_a_value_error():
    import ctk
    import qt

    for call in (
        lambda: qt.QLabel("x", None, 3, 4), lambda: qt.QLabel().setText(), lambda: ctk.ctkSliderWidget().setValue(1, 2),
        lambda: qt.QMenu().addAction("x", print), lambda: qt.QTimer.singleShot(0), lambda: qt.QWidget().inherits(),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"argument"):
            call()


def test_conversions_are_lenient_but_not_for_vtk_objects(a_volume):
    import qt
    import slicer

    label = qt.QLabel()
    label.text = 5
    assert label.text == "5"
    with pytest.raises(TypeError):
        label.text = a_volume
    with pytest.raises(TypeError, match="vtkMRMLNode"):
        slicer.qMRMLNodeComboBox().setCurrentNode("x")
    with pytest.raises(TypeError):
        label.setText(a_volume)


def test_signals_connect_by_exact_signature_and_unknown_ones_raise():
    import qt

    heard, button = [], qt.QPushButton("b")
    assert button.connect("clicked()", lambda: heard.append("clicked()")) is True
    assert button.connect("clicked(bool)", heard.append) is True
    assert button.clicked.connect(lambda: heard.append("attribute")) is True
    button.click()
    assert heard == ["clicked()", False, "attribute"]
    for unknown in ("clicked(int)", "pushed()", "clicked"):
        with pytest.raises(AttributeError, match="has no signal"):
            button.connect(unknown, heard.clear)
    with pytest.raises(TypeError, match="cannot be called"):
        button.connect("clicked()", None)


def test_disconnecting_says_whether_there_was_a_connection():
    import qt

    heard, button = [], qt.QPushButton()
    button.connect("clicked(bool)", heard.append)
    assert button.disconnect("clicked(bool)", heard.append) is True
    assert button.disconnect("clicked(bool)", heard.append) is False
    button.click()
    assert heard == []


class Receiver:
    """Slots of several lengths."""

    def __init__(self):
        self.heard = []

    def none(self):
        self.heard.append(())

    def one(self, index):
        self.heard.append((index,))

    def defaulted(self, index, more="kept"):
        self.heard.append((index, more))


def test_a_callee_may_take_fewer_arguments_than_the_signal():
    import qt

    combo, receiver = qt.QComboBox(), Receiver()
    for slot in (receiver.none, receiver.one, receiver.defaulted):
        combo.connect("currentIndexChanged(int)", slot)
    combo.addItem("a")
    assert receiver.heard == [(), (0,), (0, "kept")]


def test_a_default_of_a_lambda_is_overwritten_by_the_signals_argument():
    import qt

    heard, button = [], qt.QPushButton()
    button.connect("clicked(bool)", lambda i=7: heard.append(i))
    button.connect("clicked()", lambda i=7: heard.append(i))
    button.connect("clicked(bool)", functools.partial(lambda i, on: heard.append((i, on)), 7))
    button.click()
    assert heard == [False, 7, (7, False)]


def test_an_exception_in_a_slot_is_printed_recorded_and_execution_goes_on(capsys):
    import qt

    heard, button = [], qt.QPushButton()
    button.connect("clicked()", lambda: 1 / 0)
    button.connect("clicked()", lambda: heard.append("second"))
    button.click()
    assert heard == ["second"]
    assert isinstance(host.slot_errors[0].error, ZeroDivisionError)
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_isinstance_on_a_base_class_raises_and_inherits_answers():
    import qt

    button = qt.QPushButton()
    assert isinstance(button, qt.QPushButton)
    assert not isinstance("text", qt.QWidget)
    assert not isinstance(button, qt.QLabel)
    with pytest.raises(TypeError, match="inherits"):
        isinstance(button, qt.QWidget)
    assert button.inherits("QWidget")
    assert not button.inherits("QLabel")


def test_lists_come_back_as_tuples_and_enums_are_ints():
    import qt
    import slicer

    combo = slicer.qMRMLNodeComboBox()
    combo.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    assert combo.nodeTypes == ("vtkMRMLScalarVolumeNode",)
    assert isinstance(qt.QWidget().children(), tuple)
    assert qt.Qt.AlignLeft | qt.Qt.AlignTop == 33
    assert qt.QMessageBox.Ok == 1024
    item = qt.QTableWidgetItem("x")
    item.setFlags(item.flags() & ~qt.Qt.ItemIsEditable)
    assert not item.flags() & qt.Qt.ItemIsEditable
    label = qt.QLabel()
    label.alignment = qt.Qt.AlignRight
    assert label.alignment == 2


def test_the_name_is_the_object_name_and_children_are_attributes_of_their_parent():
    import qt

    parent = qt.QWidget()
    child = qt.QLabel("x", parent)
    child.name = "caption"
    assert child.objectName == "caption"
    assert parent.caption is child
    assert parent.findChild(qt.QLabel, "caption") is child
    assert parent.findChildren("QLabel") == (child,)
    with pytest.raises(AttributeError):
        parent.other  # noqa: B018


def test_single_shot_works_on_the_main_thread_only():
    import qt

    heard, refused = [], []

    def from_a_thread():
        try:
            qt.QTimer.singleShot(0, heard.clear)
        except RuntimeError as error:
            refused.append(str(error))

    qt.QTimer.singleShot(0, lambda: heard.append(1))
    thread = threading.Thread(target=from_a_thread)
    thread.start()
    thread.join()
    assert host.process_events(until=lambda: heard, limit_s=120)
    assert "never fires" in refused[0]


def test_widgets_are_refused_to_other_threads():
    import qt

    label, refused = qt.QLabel(), []

    def write():
        try:
            label.text = "x"
        except RuntimeError as error:
            refused.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert refused


def test_value_types_are_copies():
    import qt

    widget = qt.QWidget()
    widget.resize(10, 20)
    size = widget.size
    size.setWidth(99)
    assert (widget.width, size.width(), widget.size) == (10, 99, qt.QSize(10, 20))


def test_a_destroyed_object_is_a_value_error():
    import qt

    label = qt.QLabel()
    label.delete()
    with pytest.raises(ValueError, match="destroyed"):
        label.text  # noqa: B018


def test_a_widget_set_free_is_refused_as_slicer_crashes_of_it():
    import qt

    frame, combo = qt.QWidget(), qt.QComboBox()
    combo.setParent(frame)
    with pytest.raises(RuntimeError, match="destroys the object twice"):
        combo.setParent(None)
    assert combo.parent() is frame


def test_a_subclass_of_a_qt_class_is_not_covered():
    import qt

    with pytest.raises(host.NotCovered):
        type("Mine", (qt.QWidget,), {})


def test_a_process_brings_bytes_and_says_when_it_ends():
    import qt

    lines, ends, process = [], [], qt.QProcess()
    environment = qt.QProcessEnvironment.systemEnvironment()
    environment.remove("PYTHONHOME")
    process.setProcessEnvironment(environment)
    assert process.connect("readyReadStandardOutput()", lambda: lines.append(process.readAllStandardOutput().data()))
    assert process.connect("finished(int,QProcess::ExitStatus)", lambda code, status: ends.append((code, status)))
    assert process.connect("errorOccurred(QProcess::ProcessError)", ends.append)
    process.start(sys.executable, ["-c", "import sys; print(input()[::-1]); sys.exit(3)"])
    process.write("abc\n")
    assert host.process_events(until=lambda: ends, limit_s=120)
    assert b"".join(lines) == b"cba\n"
    assert ends == [(3, qt.QProcess.NormalExit)]
    assert process.state() == qt.QProcess.NotRunning


def test_without_tracking_a_change_is_told_as_changing_and_then_changed():
    import ctk

    heard, slider = [], ctk.ctkSliderWidget()
    slider.maximum = 1
    slider.connect("valueIsChanging(double)", lambda v: heard.append(("changing", v)))
    slider.connect("valueChanged(double)", lambda v: heard.append(("changed", v)))
    slider.tracking = False
    slider.value = 0.25
    assert heard == [("changing", 0.25), ("changed", 0.25)]
    heard.clear()
    host.drag(slider, 0.5, 0.75)
    assert heard == [("changing", 0.5), ("changing", 0.75), ("changed", 0.75)]
    heard.clear()
    slider.tracking = True
    slider.value = 1
    assert heard == [("changed", 1.0)]


def test_a_shortcut_fires_by_its_key():
    import qt

    heard, panel = [], qt.QWidget()
    shortcut = qt.QShortcut(panel)
    shortcut.setKey(qt.QKeySequence("N"))
    shortcut.connect("activated()", lambda: heard.append("N"))
    host.press(panel, "N")
    assert heard == ["N"]
    with pytest.raises(LookupError):
        host.press(panel, "P")


def test_dialogs_are_recorded_and_answered_never_shown():
    import qt

    host.file_answers.extend(["/scan.nrrd", ["/a", "/b"], ""])
    assert qt.QFileDialog.getOpenFileName(None, "Open") == "/scan.nrrd"
    assert qt.QFileDialog.getOpenFileNames(None, "Open") == ("/a", "/b")
    assert qt.QFileDialog.getSaveFileName() == ""
    with pytest.raises(AssertionError, match="no answer is queued"):
        qt.QFileDialog.getExistingDirectory()
    host.message_answers.append(qt.QMessageBox.No)
    buttons = qt.QMessageBox.Yes | qt.QMessageBox.No
    assert qt.QMessageBox.question(None, "Title", "Sure?", buttons) == qt.QMessageBox.No
    box = qt.QMessageBox()
    box.text = "Done"
    assert box.exec_() == qt.QMessageBox.Ok
    assert [(m.kind, m.text) for m in host.messages] == [("question", "Sure?"), ("QMessageBox", "Done")]


def test_settings_live_in_a_temporary_file_and_come_back_as_text():
    import qt
    import slicer

    qt.QSettings().setValue("DiffuFuseMed/share", 0.5)
    assert slicer.util.settingsValue("DiffuFuseMed/share", 0.0, float) == 0.5
    host.start()
    assert slicer.util.settingsValue("DiffuFuseMed/share", 0.0, float) == 0.0


def test_an_overloaded_signal_connects_by_name_only_to_who_takes_nothing(a_volume):
    import slicer

    heard, combo = [], slicer.qMRMLNodeComboBox()
    combo.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    combo.currentNodeChanged.connect(lambda: heard.append("told"))
    with pytest.raises(TypeError, match="connect by signature"):
        combo.currentNodeChanged.connect(lambda node: heard.append(node))
    combo.connect("currentNodeChanged(bool)", heard.append)
    combo.connect("currentNodeChanged(vtkMRMLNode*)", heard.append)
    combo.setMRMLScene(slicer.mrmlScene)
    assert heard == ["told", True, a_volume]
