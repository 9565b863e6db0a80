"""DisplayLogic: which volumes lie over each other in the slice views, in which windows and colors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..core.maps import MAPS, MapSpec, role_of
from ..core.modalities import is_tracer, spec_of
from ..mrml import colors, display, segmentations, slices, volumes
from ..mrml.geometry import flipped
from ..mrml.layers import Layers, show
from ..mrml.nodes import set_tag
from ..mrml.to_volume import MADE_UP_TAG
from ..mrml.views import composites, place_crosshair, show_crosshair
from . import annotators, choices, window_level
from .context import SessionContext
from .events import Topic
from .result_nodes import segmentation_node
from .window_level_drag import WindowLevelDrag

TOP_PERCENT = 99.5
LEAST_TOP = 0.05
# Before a modality key: roles of what is made up.
MADE_UP, DIFFERENCE, SYNTHETIC = "without lesion: ", "difference: ", "synthetic: "
OUTLINES = "synthetic"  # role of a synthetic tumor's outline, and of what is called lesion with it
SYNTHETIC_SEGMENTS = {  # name, color, and opacity in 3D, where the second is around the first
    "tumor": ("SYNTHETIC tumor", (1.0, 0.25, 0.9), 1.0),
    "called": ("called lesion by the model", (1.0, 0.85, 0.1), 0.35),
}
SQUARES = 8  # of the checkerboard, along the longest axis


class DisplayLogic:
    """Shows what the parameters say; everything that is not in the scene yet is left out.

    choose(windows by role): told what the reader dragged in a view."""

    def __init__(self, context: SessionContext, choose: Callable[[dict[str, str]], None]) -> None:
        self._context = context
        self._window_level_drag = WindowLevelDrag(context, choose)
        self._before = self._reference = False
        self._made_up: frozenset[str] = frozenset()  # modalities in whose place made up images are shown,
        self._kind = MADE_UP  # and which
        self._synthetic: Mapping[str, np.ndarray] = {}
        self._crossed: Any = None  # the case in which the crosshair was put
        self._crosses = False
        self._of: tuple[Any, Any] = (None, None)
        self._known: dict[tuple, Any] = {}  # what takes long to find in a large case, by what it depends on

    def _once(self, find: Callable[[], Any], *depends_on: Any) -> Any:
        """find(), asked again only for another case, another result or another of `depends_on`."""
        of = (self._context.case, self._context.prediction)
        if any(mine is not now for mine, now in zip(self._of, of, strict=True)):
            self._of, self._known = of, {}
        if depends_on not in self._known:
            self._known[depends_on] = find()
        return self._known[depends_on]

    def refresh(self) -> None:
        """Layers, windows, overlays and outlines as the parameters have them."""
        self._windows()
        self._overlay()
        self._outlines()
        self._crosshair()
        self._show()

    def forget(self) -> None:
        """The case is about to leave the session."""
        self._made_up, self._synthetic = frozenset(), {}
        self._take_away_made_up()
        self._window_level_drag.forget()

    def show_before(self, before: bool) -> None:
        """The reference image instead of the fused picture, for as long as the reader wants to compare them."""
        self._before = before
        self._show()

    def show_reference(self, on: bool) -> None:
        """The reference image below, whatever was chosen, for a tool that works on its values."""
        if on != self._reference:
            self._reference = on
            self._show()

    def show_healthy(self, images: Mapping[str, np.ndarray], differences: Mapping[str, np.ndarray] | None) -> None:
        """Images without the lesion [k, j, i] by modality in place of those that were taken, and over them, in place of
        a map of doubt, how much they differ; {} for the images as they were taken."""
        for key, array in images.items():
            self._put(MADE_UP + key, array, f"{key} without the lesion, made up")
        for key, array in (differences or {}).items():
            self._put(DIFFERENCE + key, array, f"{key}, difference from the made up one")
        if not images and not self._made_up:
            return
        self._show_made_up(MADE_UP, images)

    def show_synthetic(self, images: Mapping[str, np.ndarray], outlines: Mapping[str, np.ndarray]) -> None:
        """Images with a synthetic tumor [k, j, i] by modality in place of those that were taken, and in place of all
        outlines those by SYNTHETIC_SEGMENTS, bool [k, j, i]; {} for the images as they were taken."""
        for key, array in images.items():
            self._put(SYNTHETIC + key, array, f"{key} with a SYNTHETIC tumor")
        self._synthetic = dict(images)
        if images:
            self._put_outlines(outlines)
        self._show_made_up(SYNTHETIC, images)

    def _put_outlines(self, outlines: Mapping[str, np.ndarray]) -> None:
        context = self._context
        node = segmentation_node(context, OUTLINES, "SYNTHETIC tumor", saved=False)
        for key, (name, color, in_3d) in SYNTHETIC_SEGMENTS.items():
            segmentations.set_mask(node, key, outlines[key], context.reference_node, name, color)
            segmentations.show(node, key, True, 0.0, 1.0, surface_opacity=in_3d)
        segmentations.closed_surface(node, True)

    def _show_made_up(self, kind: str, images: Mapping[str, np.ndarray]) -> None:
        self._made_up, self._kind = frozenset(images), kind
        if not images:
            self._take_away_made_up()
        self.refresh()

    def _put(self, role: str, array: np.ndarray, name: str) -> None:
        """A volume of the case's grid that is for a look, and in no saved scene."""
        context = self._context
        node = volumes.add_volume(context.scene, array, context.opened.grid, name, role=role, share=True)
        node.SetSaveWithScene(False)
        set_tag(node, MADE_UP_TAG, "yes")  # or it could be opened as an image of a patient
        context.nodes[role] = node

    def _take_away_made_up(self) -> None:
        scene, nodes = self._context.scene, self._context.nodes
        mine = [role for role in nodes if role == OUTLINES or role.startswith((MADE_UP, DIFFERENCE, SYNTHETIC))]
        for node in [nodes.pop(role) for role in mine]:
            if scene.IsNodePresent(node):  # whoever closed the scene took it along
                scene.RemoveNode(node)

    def unit_of(self, role: str) -> str:
        """What values of a volume are shown in."""
        return self._context.unit_of(role)

    def per_shown(self, role: str) -> float:
        """What a volume's own values are multiplied by before they are shown."""
        return self._context.per_shown(role)

    def jump(self, center_lps: tuple[float, float, float]) -> None:
        slices.jump(self._context.slice_nodes(), center_lps)
        place_crosshair(self._context.scene, flipped(center_lps).tolist())

    def _crosshair(self) -> None:
        """It starts in the middle of a case: a 3D view that is fitted to what it shows would go far out else. Where
        the reader never asked for it, the host's own crosshair is left alone."""
        case = self._context.case
        if case is not None and case is not self._crossed:
            self._crossed = case
            middle = case.grid.to_physical(np.subtract(case.grid.size, 1) / 2)
            place_crosshair(self._context.scene, flipped(middle).tolist())
        if self._crosses or self._context.parameters.crosshair:
            self._crosses = self._context.parameters.crosshair
            show_crosshair(self._context.scene, self._crosses)

    def _show(self) -> None:
        layers = self._layers()
        show(composites(self._context.scene), layers)
        self._context.view_state.layers = tuple(self._legends(layers))
        self._context.tell(Topic.LAYERS)

    def _legends(self, layers: Layers) -> list[dict[str, Any]]:
        """A legend of each layer on screen, values as words in the layer's unit."""
        roles = {id(node): role for role, node in self._context.nodes.items()}
        seen = (
            (layers.background, 1.0),
            (layers.foreground, layers.foreground_opacity),
            (layers.overlay, layers.overlay_opacity),
        )
        return [self._legend(roles[id(node)], node) for node, opacity in seen if id(node) in roles and opacity > 0]

    def _legend(self, role: str, node: Any) -> dict[str, Any]:
        unit, name, digits = self._wording(role)
        per_shown = self._context.per_shown(imaged(role))
        low, high = (_end(per_shown * value, digits) for value in display.window_of(node))
        gradient = colors.css_gradient(colors.color_node(self._context.scene, display.colors_of(node) or "Grey"))
        return {"name": name, "low": low, "high": high, "unit": unit, "colors": gradient}

    def _wording(self, role: str) -> tuple[str, str, int]:
        """Unit, name and digits behind the point of a layer."""
        chosen, key = self._context.parameters, imaged(role)
        if role.startswith(SYNTHETIC):
            return self._context.unit_of(key), f"{key}, SYNTHETIC tumor", spec_of(key).window_digits
        if key in self._context.view_state.modalities:
            name = f"{key}, made up" if role.startswith(MADE_UP) else f"|{key} - made up|" if role != key else key
            return self._context.unit_of(key), name, spec_of(key).window_digits
        if role == "compare":
            return "gray", f"{self._context.opened.reference} and {chosen.compare_with}, {chosen.compare}", 0
        if role == "fused":
            return "gray", "fused", 1
        shown = MAPS[chosen.uncertainty_map]
        return shown.unit, "doubt", shown.digits

    def probe(self, ras: tuple[float, float, float]) -> dict[str, str]:
        """Values at a point, in words with their unit, by what they are of; empty outside the case."""
        context = self._context
        if context.case is None:
            return {}
        images = {key: volume.array for key, volume in context.case.volumes.items()} | dict(self._synthetic)
        arrays = {key: (array, context.case.grid) for key, array in images.items()}
        if context.prediction is not None and not self._synthetic:
            arrays["lesion probability"] = (context.prediction.probability, context.prediction.grid)
        found = slices.probe(ras, arrays)
        return {key: self._worded(key, ras, value) for key, value in found.items() if value is not None}

    def _worded(self, key: str, ras: tuple[float, float, float], value: float) -> str:
        case = self._context.opened
        if key not in case.valid:
            return f"{value:.2f}"
        if not slices.probe(ras, {key: (case.valid[key], case.grid)})[key]:
            return "not imaged"
        shown = value * self._context.per_shown(key)
        return f"{shown:.{spec_of(key).digits}f} {self._context.unit_of(key)}".strip()

    def _layers(self) -> Layers:
        context, chosen = self._context, self._context.parameters
        plain = self._reference or (self._before and chosen.background == "fused")
        reference = context.case.reference if plain and context.case else ""
        if self._made_up and (not self._reference or self._synthetic):
            return self._made_up_layers()
        background = context.nodes.get(reference or self._compared() or chosen.background) or self._first()
        foreground = None if self._compared() else context.nodes.get(chosen.foreground)
        overlay = context.nodes.get(self.map_key()) if chosen.show_uncertainty else None
        return Layers(background, foreground, chosen.foreground_opacity, overlay, chosen.uncertainty_opacity)

    def _made_up_layers(self) -> Layers:
        """As chosen, but made up; below in place of the fused picture, which has the patient's own, the reference."""
        context, chosen = self._context, self._context.parameters
        below = chosen.background if chosen.background in self._made_up else context.opened.reference
        background, foreground = (context.nodes.get(self._kind + key) for key in (below, chosen.foreground))
        overlay = context.nodes.get(DIFFERENCE + below) if chosen.show_uncertainty else None
        if background is None and not self._synthetic:  # the inpainter does not know the reference
            background = context.nodes.get(below)
        return Layers(background, foreground, chosen.foreground_opacity, overlay, chosen.uncertainty_opacity)

    def _first(self) -> Any:
        nodes = self._context.nodes
        return next((nodes[key] for key in self._context.view_state.modalities if key in nodes), None)

    def map_key(self) -> str:
        """The role of the map's node."""
        return role_of(self._context.parameters.uncertainty_map)

    def _windows(self) -> None:
        context = self._context
        if context.case is None:
            return
        for key in context.case.modalities:
            if node := context.nodes.get(key):
                self._window_level_drag.show(key, *self._window(key))
                own = context.parameters.pet_colors if is_tracer(key) else spec_of(key).colors
                display.set_colors(node, own)
        for key in self._made_up:
            self._made_up_windows(key)
        if window_level.FUSED in context.nodes:
            self._window_level_drag.show(window_level.FUSED, *self._window(window_level.FUSED))

    def _made_up_windows(self, key: str) -> None:
        """As the image that was taken; of the difference a tenth of that window at least is needed to be seen."""
        node, other = self._context.nodes[self._kind + key], self._context.nodes.get(DIFFERENCE + key)
        low, high = self._window(key)
        display.set_window(node, low, high)
        display.set_colors(node, display.colors_of(self._context.nodes[key]) or "Grey")
        if other is None:
            return
        display.set_colors(other, "Inferno")
        display.set_window(other, 0.0, (high - low) / 2)
        display.set_lower_threshold(other, (high - low) / 20)

    def _window(self, key: str) -> tuple[float, float]:
        """Black and white of a modality, as the reader chose."""
        context = self._context
        case, name, per_shown = context.opened, context.parameters.windows.get(key), context.per_shown(key)
        return self._once(lambda: window_level.range_of(case, key, name, per_shown), "window", key, name, per_shown)

    def _overlay(self) -> None:
        context, key = self._context, self.map_key()
        node = context.nodes.get(key)
        if node is None:
            context.view_state.legend = {}
            return
        spec = MAPS[context.parameters.uncertainty_map]
        low, high = self._map_range(node, spec)
        above = min(context.parameters.uncertainty_above, high)
        display.set_colors(node, spec.colors)
        display.set_window(node, low, high)
        display.set_lower_threshold(node, max(above, 1e-6))
        gradient = colors.css_gradient(colors.color_node(context.scene, spec.colors))
        context.view_state.legend = {"low": low, "high": high, "above": above, "unit": spec.unit, "colors": gradient}

    def _map_range(self, node: Any, spec: MapSpec) -> tuple[float, float]:
        """As the map is always shown, else from zero to its high percentile, never beyond what it can reach."""
        if spec.shown is not None:
            return spec.shown
        top = self._once(lambda: _top(volumes.array_of(node)), "top", self.map_key())
        return 0.0, min(max(top, LEAST_TOP), spec.highest)

    def _outlines(self) -> None:
        """The patient's, but none of them over a synthetic tumor."""
        context, chosen, own = self._context, self._context.parameters, not self._synthetic
        if lesion := context.nodes.get("lesion"):
            segmentations.show(lesion, "lesion", chosen.show_lesion and own, chosen.lesion_opacity, 1.0)
        if contours := context.nodes.get("contours"):
            for name in ("inner", "outer"):
                segmentations.show(contours, name, chosen.show_band and own, 0.0, 0.9)
        if drawn := context.nodes.get(annotators.ROLE):
            annotators.show_outlines(drawn, chosen.show_annotators and own)
        if previous := context.nodes.get("previous"):
            segmentations.show(previous, "previous", chosen.show_lesion and own, 0.0, 0.6)
        if ghost := context.nodes.get(choices.GHOST):
            segmentations.show(ghost, choices.SEGMENT, context.view_state.choice is not None and own)

    def _compared(self) -> str:
        """The role of the comparison's picture, made anew; empty when nothing is compared."""
        context, chosen = self._context, self._context.parameters
        case, other = context.case, chosen.compare_with
        if chosen.compare == "off" or case is None or other not in case.volumes or other == case.reference:
            return ""
        first, second = (self._gray(key) for key in (case.reference, other))
        picture = compared(first, second, chosen.compare, chosen.compare_position)
        if "compare" in context.nodes:
            volumes.set_array(context.nodes["compare"], picture)
        else:
            context.nodes["compare"] = volumes.add_volume(
                context.scene, picture, case.grid, "Comparison", role="compare"
            )
            display.set_window(context.nodes["compare"], 0, 255)
        return "compare"

    def _gray(self, key: str) -> np.ndarray:
        """uint8 [k, j, i] in the modality's window."""
        return self._once(lambda: self._grayed(key), "gray", key, self._window(key))

    def _grayed(self, key: str) -> np.ndarray:
        case = self._context.opened
        low, high = self._window(key)
        return (np.clip((case.volumes[key].array - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def imaged(role: str) -> str:
    """The modality of a role that may be of a made up image."""
    return role.removeprefix(MADE_UP).removeprefix(DIFFERENCE).removeprefix(SYNTHETIC)


def _end(value: float, digits: int) -> str:
    """An end of a legend: with more digits where these few would say another value."""
    few = f"{value:.{digits}f}"
    return few if abs(float(few) - value) <= 0.02 * abs(value) else f"{value:.3g}"


def _top(values: np.ndarray) -> float:
    """The high percentile of what is uncertain at all."""
    seen = values[values > 1e-3]
    return float(np.percentile(seen[:: max(1, seen.size // 200_000)], TOP_PERCENT)) if seen.size else 0.0


def compared(first: np.ndarray, second: np.ndarray, how: str, position: float) -> np.ndarray:
    """uint8 [k, j, i]: a checkerboard of both, or first up to `position` of the way along i and second behind it."""
    if how == "swipe":
        border = round(position * first.shape[2])
        return np.concatenate([first[..., :border], second[..., border:]], axis=2)
    side = max(1, max(first.shape) // SQUARES)
    k, j, i = np.ogrid[tuple(slice(n) for n in first.shape)]
    return np.where((k // side + j // side + i // side) % 2 == 0, first, second)
