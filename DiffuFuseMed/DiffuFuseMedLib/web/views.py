"""Views: four of them from the real MRML libraries, drawn on the server, shown as pictures in the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_slicer.app.logic.slice_view_logic import connect_slice_view_slider_to_state
from trame_slicer.app.ui.slider import Slider, SliderState
from trame_slicer.core import LayoutManager, SlicerApp
from trame_slicer.rca_view import register_rca_factories
from trame_slicer.views import Layout, LayoutDirection, ViewLayoutDefinition

from .corners import corners
from .render_scheduler import RenderScheduler, ScheduledView

FOUR_UP = "Four-up"
AXIAL, CORONAL, SAGITTAL = "Axial", "Coronal", "Sagittal"
LAYOUT_ICONS = {
    FOUR_UP: "mdi-view-grid",
    "Axial large": "mdi-view-split-vertical",
    AXIAL: "mdi-alpha-a-box-outline",
    CORONAL: "mdi-alpha-c-box-outline",
    SAGITTAL: "mdi-alpha-s-box-outline",
    "3D": "mdi-cube-outline",
}
# The state of each slice view's slider, as trame_slicer names it (connect_slice_view_slider_to_state).
SLICE_POSITIONS = tuple(
    f"{view.singleton_tag}__{SliderState.__name__}__value"
    for view in (
        ViewLayoutDefinition.axial_view(),
        ViewLayoutDefinition.coronal_view(),
        ViewLayoutDefinition.sagittal_view(),
    )
)
FPS = 30.0  # trame-slicer's 10 where the mouse is not over the view would be felt
QUALITY = 90  # of every picture: else each is drawn and sent a second time, which takes longer than better ones do
WORKED_IN = ("LeftButtonPressEvent", "RightButtonPressEvent", "MouseWheelForwardEvent", "MouseWheelBackwardEvent")
BEFORE_ALL = 100.0  # priority of an observer: a tool in hand ends the event


class Views:
    """app: the Slicer application core; later(seconds, call): a timer with cancel(); worked_in(id): told the id of the
    slice view's node in which the reader scrolls or presses a button."""

    def __init__(
        self, server: Any, app: SlicerApp, later: Callable[..., Any], worked_in: Callable[[str], None]
    ) -> None:
        self._server, self._app, self._worked_in = server, app, worked_in
        register_rca_factories(
            app.view_manager,
            server,
            slice_view_ui_f=_slice_frame,
            three_d_view_ui_f=_frame,
            blur_fps=FPS,
            interactive_quality=QUALITY,
        )
        self.layouts = LayoutManager(app.scene, app.view_manager, server)
        self.layouts.register_layout_dict(_layouts(), lazy_initialization=True)
        self.layouts.create_layout_views_if_needed(FOUR_UP)
        for view in app.view_manager.get_views():
            # software rendering: a picture takes half the time without, and slices have no edges to smooth
            view.render_window().SetMultiSamples(0)
        for view in app.view_manager.get_slice_views():
            # otherwise a segmentation made before the first volume is drawn below it
            view._render_manager._AddSliceActorToRendererIfNeeded()
        self._render_scheduler = RenderScheduler(ViewLayoutDefinition.axial_view().singleton_tag, later)
        for view in app.view_manager.get_views():
            self._take_turns(view)

    def _take_turns(self, view: Any) -> None:
        name = view.get_singleton_tag()
        view.set_scheduled_render(ScheduledView(name, self._render_scheduler, view._scheduled_render))
        view.render_window().AddObserver("EndEvent", lambda *_: self._render_scheduler.drawn(name))
        for event in WORKED_IN:
            view.interactor().AddObserver(event, lambda *_: self._go_first(name, view), BEFORE_ALL)

    def _go_first(self, name: str, view: Any) -> None:
        self._render_scheduler.first = name
        if view in self._app.view_manager.get_slice_views():
            self._worked_in(view.get_view_node_id())

    def place(self, parent: Any) -> None:
        self.layouts.initialize_layout_grid(parent)
        self.layouts.set_layout(FOUR_UP)

    def at_rest(self) -> bool:
        """Whether no view waits to be drawn."""
        return self._render_scheduler.at_rest

    def show_layout(self, name: str) -> None:
        self.layouts.set_layout(name)

    def fit(self) -> None:
        """All views to the case."""
        for view in self._app.view_manager.get_views():
            view.reset_view()

    def fit_solid(self) -> None:
        """The 3D view to what it shows."""
        for view in self._app.view_manager.get_threed_views():
            view.reset_view()

    def draw(self) -> None:
        for view in self._app.view_manager.get_views():
            view.schedule_render()

    def blocked(self, is_blocked: bool) -> None:
        for view in self._app.view_manager.get_views():
            view.set_render_blocked(is_blocked)

    def tags(self) -> dict[str, str]:
        """Tag of a slice view by the id of its MRML node."""
        return {view.get_view_node_id(): view.get_singleton_tag() for view in self._app.view_manager.get_slice_views()}


def _layouts() -> dict[str, Layout]:
    axial, coronal = ViewLayoutDefinition.axial_view(), ViewLayoutDefinition.coronal_view()
    sagittal, solid = ViewLayoutDefinition.sagittal_view(), ViewLayoutDefinition.threed_view()
    column, row = LayoutDirection.Vertical, LayoutDirection.Horizontal
    return {
        FOUR_UP: Layout(row, [Layout(column, [axial, sagittal]), Layout(column, [coronal, solid])]),
        "Axial large": Layout(row, [axial, Layout(column, [coronal, sagittal, solid])], ["2", "1"]),
        AXIAL: Layout(column, [axial]),
        CORONAL: Layout(column, [coronal]),
        SAGITTAL: Layout(column, [sagittal]),
        "3D": Layout(column, [solid]),
    }


def _frame(_server: Any, view_id: str, view: Any) -> None:
    """Title and reset button over a view."""
    with html.Div(classes="view-title"):
        html.Span(_title(view), classes="view-name")
        with v3.VBtn(
            icon=True,
            size="x-small",
            variant="text",
            color="white",
            click=view.reset_view,
            raw_attrs=['aria-label="Fit the view"'],
        ):
            v3.VIcon("mdi-fit-to-page-outline")
            v3.VTooltip("Fit the view to the case", activator="parent", location="end")


def _slice_frame(server: Any, view_id: str, view: Any) -> None:
    _frame(server, view_id, view)
    tag = view.get_singleton_tag()
    position = connect_slice_view_slider_to_state(server, view)
    corners(view, position.name.value)
    html.Div("{{ view_notes['" + tag + "'] }}", classes="view-note", v_if=(f"view_notes['{tag}']",))
    with html.Div(classes="view-slider"):
        Slider(
            typed_state=position,
            density="compact",
            color="white",
            theme="dark",
            raw_attrs=[f'aria-label="{_title(view)} slice"'],
        )


def _title(view: Any) -> str:
    return view.get_orientation() if hasattr(view, "get_orientation") else "3D"
