"""Workspace: server, Slicer core, session and page put together."""

from __future__ import annotations

import logging
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import trame_slicer
from trame.ui.vuetify3 import VAppLayout
from trame.widgets import client, html
from trame.widgets import vuetify3 as v3
from trame_slicer.core import SlicerApp

from ..session import Engine, ReaderApart, Roots, Session, Topic
from .actions import KEY_ACTIONS, Actions
from .asyncio_host import AsyncioHost
from .corners import legends
from .dialogs import TOUR, dialogs
from .doubts import doubts
from .guarded import Guarded
from .page_calls import restrict_page
from .page_log import forgive_gone_pages
from .panel import SECTIONS
from .panel.parts import icon_button
from .panel.uncertainty import map_words
from .state_sync import StateSync
from .synthetic import NOTE, synthetic
from .tools import Tools
from .views import FOUR_UP, Views
from .vtk_log import log_vtk

log = logging.getLogger(__name__)
MESSAGE_S = 10.0  # what is no error stays on screen


class Workspace:
    """The page of one session. files: what brings files from the page and offers them to it (web/http); engine: started
    already, since importing PyTorch takes seconds; corrections: folder in which unsaved ones are kept; reading, roots:
    how files are read, and which (session)."""

    def __init__(
        self,
        server: Any,
        loop: Any,
        files_of_page: Any,
        engine: Engine,
        presets: Path | None = None,
        corrections: Path | None = None,
        reading: ReaderApart | None = None,
        roots: Roots | None = None,
    ) -> None:
        self.server, self.state = server, server.state
        server.enable_module(trame_slicer.module)
        restrict_page(server)
        self.app = SlicerApp()
        log_vtk()
        forgive_gone_pages()
        self.host = AsyncioHost(loop, after=self.state.flush)
        self.session = Session(self.app.scene, self.host, engine, presets, corrections, reading, roots)
        engine.on_exit = self.session.engine_died
        engine.on_reply = self.session.engine_answered
        self.views = Views(server, self.app, loop.call_later, self.session.fusion.go_first)
        self.tools = Tools(self.app, self.state, self.session.display)
        self.session.use_editor(self.tools.editor_node)
        actions = Actions(self.state, self.session, self.views, self.tools, files_of_page, self._download)
        self.actions = Guarded(actions, self.session.complain)
        loop.set_exception_handler(self._complain)
        self._defaults()
        self.state_sync = StateSync(self.state, self.session)
        self._listen()
        self._cursor = self.session.follow_cursor(self._show_probe)
        self._build()
        self.session.views_made()

    def close(self) -> None:
        self.session.close()
        self.host.close()

    def _defaults(self) -> None:
        self.state.update(
            {
                "trame__title": "DiffuFuseMed",
                "dark": True,
                "layout": FOUR_UP,
                "showing_before": False,
                "windowing": False,
                "view_notes": {},
                "probe": [],
                "role_rows": [],
                "role_choices": [],
                "layer_choices": [],
                "foreground_choices": [],
                "model_choices": [record.id for record in self.session.segmenters()],
                "no_healthy": self.session.healthy.why_not(),
                "preset_choices": [],
                "suv_choices": [],
                "preset_reason": "",
                "map_words": map_words(),
                "message_open": False,
            }
        )
        self.state.tour = [{"section": name, "title": title, "text": text} for name, title, text in TOUR]
        self.state.tour_step = 0

    def _listen(self) -> None:
        listen = self.session.listen  # what the page needs beside the state that StateSync writes
        listen(self._show_case, Topic.CASE)
        listen(self._show_scene, Topic.SCENE)
        listen(self._show_message, Topic.MESSAGE)
        listen(self._show_presets, Topic.PARAMETERS)
        listen(self._lay_down_what_does_nothing, Topic.REVIEW)
        listen(self._show_notes, Topic.FUSION, Topic.LAYERS, Topic.CASE, Topic.SCENE, Topic.PROBING)
        # a slice that was written to is drawn again by MRML itself
        listen(lambda _: self.views.draw(), Topic.LAYERS, Topic.CASE, Topic.SCENE)
        self.state.change("layout")(lambda layout, **_: self.views.show_layout(layout))
        self.state.change("tour_step", "tour_open")(self._tour)
        self.server.trigger("at_rest")(self.views.at_rest)
        for name in ("uploaded", "upload_failed"):
            self.server.trigger(name)(getattr(self.actions, name))
        self.server.trigger("key")(self._key)

    def _key(self, name: Any = "", *_: Any) -> None:
        if isinstance(name, str) and name in KEY_ACTIONS:
            getattr(self.actions, KEY_ACTIONS[name])()

    def _tour(self, tour_open: bool, tour_step: int, **_: Any) -> None:
        if tour_open and tour_step < len(TOUR):
            self._to_section.exec(f"section-{TOUR[tour_step][0]}")

    def _show_case(self, _: Topic) -> None:
        self.actions.show_roles()
        self.state.suv_choices = [
            {"value": one["value"], "title": one["title"], "disabled": bool(one["why_not"]), "subtitle": one["why_not"]}
            for one in self.session.view_state.suv_units
        ]
        self._offer_layers()

    def _show_scene(self, _: Topic) -> None:
        self._edit()
        self.state.open_dialog = False

    def _show_message(self, _: Topic) -> None:
        """Errors stay until the reader closes them, or what they are of is over."""
        message = self.session.view_state.message
        self.state.message_open = message is not None
        if message is not None and message.level != "error":
            self.host.later(MESSAGE_S, partial(self._close_message, message.number))

    def _close_message(self, number: int) -> None:
        message = self.session.view_state.message
        if message is not None and message.number == number:
            self.state.message_open = False

    def _offer_layers(self) -> None:
        modalities = list(self.session.view_state.modalities)
        titles = {"fused": "fused picture", "": "nothing"}
        fused = [] if self.session.fusion.why_not() else ["fused"]
        named = [{"title": titles.get(name, name), "value": name} for name in [*fused, *modalities]]
        self.state.layer_choices = named
        self.state.foreground_choices = [{"title": "nothing", "value": ""}, *named]

    def _show_presets(self, _: Topic) -> None:
        known, chosen = self.session.presets(), self.session.parameters.preset
        rows = [{"name": preset.name, "title": preset.title} for preset in known.values()]
        if chosen not in known:
            rows.append({"name": chosen, "title": "custom"})
        self.state.preset_choices = rows
        self.state.preset_reason = known[chosen].reason if chosen in known else "The sliders left their preset."

    def _edit(self) -> None:
        """Tools act on the lesion, with the reference image behind them; the views show the whole case."""
        session, lesion = self.session, self.session.lesion.node
        if session.case is None:
            return
        if lesion is not None:
            if not self.tools.edits(lesion):
                self.views.fit_solid()
            self.tools.edit(lesion, session.reference_node, "lesion")
        if self.state.fitted != session.case_id:
            self.state.fitted = session.case_id
            self.views.fit()

    def _lay_down_what_does_nothing(self, _: Topic) -> None:
        if self.session.view_state.no_edit:
            self.tools.lay_down()

    def _show_notes(self, _: Topic) -> None:
        """What a view says of its picture: that it is not the patient's, or not of the present settings."""
        stale = self.session.fusion.stale_views()
        showing = self.session.parameters.background == "fused" and not self.state.showing_before
        tags = self.views.tags().items()
        notes = {tag: stale[node] for node, tag in tags if showing and node in stale}
        if self.session.view_state.synthetic:
            notes = {tag: NOTE for _, tag in tags}
        if notes != self.state.view_notes:
            self.state.view_notes = notes

    def _show_probe(self, place: tuple[float, float, float] | None, values: dict[str, str]) -> None:
        if place is None:
            self.state.probe = []
            return
        r, a, s = place
        where = f"{'RL'[r < 0]} {abs(r):.0f}  {'AP'[a < 0]} {abs(a):.0f}  {'SI'[s < 0]} {abs(s):.0f} mm"
        self.state.probe = [[where, ""], *[[name, value] for name, value in values.items()]]

    def _build(self) -> None:
        resources = files(__package__)
        with VAppLayout(self.server) as page:
            page.root.theme = ("dark ? 'dark' : 'light'",)
            client.Style(resources.joinpath("style.css").read_text(encoding="utf-8"))
            client.Script(resources.joinpath("page.js").read_text(encoding="utf-8"))
            self._to_page = client.JSEval(exec="window.diffufusemed.download($event)")
            self._to_section = client.JSEval(exec="window.diffufusemed.reveal($event)")
            with html.Div(classes="shell"):
                self._panel()
                self._stage(page)
            dialogs(self.actions)
        self.page = page

    def _panel(self) -> None:
        with v3.VSheet(classes="panel", id="panel"):
            with html.Div(classes="bar pa-0"):
                html.Span("DiffuFuseMed", classes="brand")
                html.Span("research use, not a medical device", classes="research")
                icon_button("mdi-keyboard-outline", "help_dialog = true", "Keys (H)", id="keys")
                icon_button("mdi-map-marker-path", self.actions.start_tour, "The tour again")
                icon_button("mdi-theme-light-dark", "dark = !dark", "Light or dark", id="theme")
            for build in SECTIONS:
                build(self.actions)

    def _stage(self, page: Any) -> None:
        with html.Div(classes="stage", id="stage"):
            # trame-slicer tells a view of no leaving, so the cursor's place would stay the last one
            with html.Div(classes="layout-host", mouseleave=(self._cursor.moved, "[null]")):
                self.views.place(page)
            synthetic(self.actions)
            doubts(self.actions)
            legends()
            with html.Div(classes="probe", id="probe"), html.Template(v_for="(p, n) in probe", key="n"):
                html.B("{{ p[0] }}")
                html.Span(" {{ p[1] }}")
            with v3.VAlert(
                v_if="message_open && s_message",
                type=("s_message.level",),
                closable=True,
                density="compact",
                id="message",
                classes="message",
                click_close="message_open = false",
            ):
                html.Span("{{ s_message.sentence }}")
                with html.Details(v_if="s_message.detail", classes="small"):
                    html.Summary("detail")
                    html.Pre("{{ s_message.detail }}", style="white-space: pre-wrap; font-size: 11px")

    def _download(self, address: str) -> None:
        self._to_page.exec(address)

    def _complain(self, _loop: Any, context: dict[str, Any]) -> None:
        """A fault in a callback of the loop: told to the reader, kept in the log."""
        error = context.get("exception")
        if isinstance(error, ConnectionError):
            log.debug("a page was closed while it was being written to")
        elif error:
            self.session.complain(error)
        else:
            log.warning("%s", context.get("message"))
