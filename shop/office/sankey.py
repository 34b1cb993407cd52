"""Where the bars and bands of the road run, lying (wide pages) or standing (narrow ones).

Thickness is amount × one scale everywhere, so what leaves a bar is as thick as what enters it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kernel.money import Money
from shop.office.road import MOST_STROKES, Road, VillageEnd

ELSEWHERE = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """One way to draw the road: where its columns stand along it, and the room across."""

    width: int
    height: int
    standing: bool
    columns: tuple[float, float, float, float, float, float]
    across: float
    middle: float
    gaps: tuple[float, float, float]
    thickness: float
    tick: float


LYING = Frame(1200, 700, False, (107, 372, 476, 702, 816, 1056), 640, 362, (30, 19, 16), 300, 7)
STANDING = Frame(358, 650, True, (79, 226, 286, 404, 466, 600), 346, 179, (9, 6, 6), 205, 6)


@dataclass(frozen=True, slots=True)
class Bar:
    """A place of the road. `start` and `size` are across it, `middle` is where its name stands."""

    name: str
    amount: Money
    start: float
    size: float

    @property
    def middle(self) -> float:
        return round(self.start + self.size / 2, 1)


@dataclass(frozen=True, slots=True)
class Band:
    """`between` are the names of the bars it joins, where somebody wants to colour it."""

    path: str
    thickness: float
    kind: str
    between: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class End:
    """Where one village's households stand at the end of the road."""

    village: VillageEnd
    middle: float
    zeros: list[str]


@dataclass(slots=True)
class Sankey:
    """Everything to draw, in drawing order."""

    frame: Frame
    systems: list[Bar] = field(default_factory=list)
    products: list[Bar] = field(default_factory=list)
    villages: list[Bar] = field(default_factory=list)
    elsewhere: Bar | None = None
    bands: list[Band] = field(default_factory=list)
    ticks: list[Band] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)


def sankey(road: Road, frame: Frame) -> Sankey | None:
    """The picture; None when nothing has travelled the road yet."""
    if road.total.fen <= 0:
        return None
    scale = frame.thickness / road.total.fen
    picture = Sankey(frame)
    picture.systems = _bars(list(road.systems.items()), scale, frame, frame.gaps[0])
    picture.products = _bars(list(road.products.items()), scale, frame, frame.gaps[1])
    reached = [(each.name, each.amount) for each in road.villages if each.amount.fen > 0]
    last = [*reached, (ELSEWHERE, road.elsewhere)] if road.elsewhere.fen > 0 else reached
    picture.villages = _bars(last, scale, frame, frame.gaps[2])
    if road.elsewhere.fen > 0:
        picture.elsewhere = picture.villages.pop()
    _ribbons(picture, road, scale)
    _strokes(picture, road, scale)
    return picture


def _bars(
    amounts: Sequence[tuple[str, Money]], scale: float, frame: Frame, gap: float
) -> list[Bar]:
    sizes = [max(amount.fen, 0) * scale for _, amount in amounts]
    room = sum(sizes) + gap * (len(sizes) - 1)
    if room > frame.across and len(sizes) > 1:
        gap = max(2.0, (frame.across - sum(sizes)) / (len(sizes) - 1))
        room = sum(sizes) + gap * (len(sizes) - 1)
    at, bars = frame.middle - room / 2, []
    for (name, amount), size in zip(amounts, sizes, strict=True):
        bars.append(Bar(name, amount, round(at, 2), round(size, 2)))
        at += size + gap
    return bars


def _ribbons(picture: Sankey, road: Road, scale: float) -> None:
    frame = picture.frame
    starts, *_ = frame.columns
    leaving = {bar.name: bar.start for bar in picture.systems}
    entering = {bar.name: bar.start for bar in picture.products}
    onward = dict(entering)
    order = {bar.name: place for place, bar in enumerate((*picture.systems, *picture.products))}
    for flow in sorted(road.by_system, key=lambda flow: (order[flow.source], order[flow.target])):
        picture.bands += _band(frame, (starts, frame.columns[1]), leaving, entering, flow.source,
                               flow.target, flow.amount.fen * scale, "f f1")  # fmt: skip
    arriving = {bar.name: bar.start for bar in picture.villages}
    places = {bar.name: place for place, bar in enumerate(picture.villages)}
    for flow in sorted(
        road.by_village, key=lambda flow: (order[flow.source], places.get(flow.target, -1))
    ):
        if flow.target in arriving:
            picture.bands += _band(frame, frame.columns[2:4], onward, arriving, flow.source,
                                   flow.target, flow.amount.fen * scale, "f f2")  # fmt: skip
    if picture.elsewhere:
        rest = {picture.elsewhere.name: picture.elsewhere.start}
        reached = _reached(road)
        for name, amount in road.products.items():
            left = (amount.fen - reached.get(name, 0)) * scale
            picture.bands += _band(frame, frame.columns[2:4], onward, rest, name,
                                   picture.elsewhere.name, left, "fx")  # fmt: skip


def _reached(road: Road) -> dict[str, int]:
    found: dict[str, int] = {}
    for flow in road.by_village:
        found[flow.source] = found.get(flow.source, 0) + flow.amount.fen
    return found


def _band(
    frame: Frame,
    between: tuple[float, ...],
    leaving: dict[str, float],
    entering: dict[str, float],
    source: str,
    target: str,
    size: float,
    kind: str,
) -> list[Band]:
    """A band from where its source was left off to where its target was; both move on."""
    if size <= 0:
        return []
    start, end = leaving[source] + size / 2, entering[target] + size / 2
    leaving[source] += size
    entering[target] += size
    path = _path(frame, between[0], start, between[1], end)
    return [Band(path, round(size, 2), kind, (source, target))]


def _path(frame: Frame, along: float, start: float, to: float, end: float) -> str:
    half = (along + to) / 2
    points = [(along, start), (half, start), (half, end), (to, end)]
    shown = [f"{b:.1f},{a:.1f}" if frame.standing else f"{a:.1f},{b:.1f}" for a, b in points]
    return f"M{shown[0]}C{' '.join(shown[1:])}"


def _tick(frame: Frame, at: float) -> str:
    along = frame.columns[5]
    return f"M{at:.1f},{along:g}v{frame.tick:g}" if frame.standing else (
        f"M{along:g},{at:.1f}h{frame.tick:g}"
    )  # fmt: skip


def _strokes(picture: Sankey, road: Road, scale: float) -> None:
    """One stroke for every household, thick as what it received; a red one where nothing came."""
    frame = picture.frame
    starts = {bar.name: bar.start for bar in picture.villages}
    if sum(each.registered for each in road.villages) > MOST_STROKES:
        ends = _as_bands(road, scale)
    else:
        ends = [([amount.fen * scale for amount in each.strokes], each.without)
                for each in road.villages]  # fmt: skip
    pitch, apart = _pitch(frame, ends)
    at = frame.middle - _room(ends, pitch, apart) / 2
    for village, (sizes, without) in zip(road.villages, ends, strict=True):
        first, along = at, starts.get(village.name, 0.0)
        for size in sizes:
            middle = at + max(size, pitch) / 2
            path = _path(frame, frame.columns[4], along + size / 2, frame.columns[5], middle)
            picture.bands.append(Band(path, max(round(size, 2), 0.3), "f3"))
            picture.ticks.append(Band(_tick(frame, middle), max(round(size, 2), 0.3), "e"))
            along += size
            at += max(size, pitch) + pitch / 2
        zeros = []
        for _ in range(without):
            zeros.append(_tick(frame, at + pitch / 2))
            at += pitch * 1.5
        picture.ends.append(End(village, round((first + at) / 2, 1), zeros))
        at += apart


def _as_bands(road: Road, scale: float) -> list[tuple[list[float], int]]:
    return [([each.amount.fen * scale] if each.amount.fen > 0 else [], 0) for each in road.villages]


def _room(ends: list[tuple[list[float], int]], pitch: float, apart: float) -> float:
    strokes = sum(max(size, pitch) + pitch / 2 for sizes, _ in ends for size in sizes)
    zeros = sum(without for _, without in ends) * pitch * 1.5
    return strokes + zeros + apart * max(len(ends) - 1, 0)


def _pitch(frame: Frame, ends: list[tuple[list[float], int]]) -> tuple[float, float]:
    """The widest spacing of strokes, and the gap between villages, that the room allows."""
    apart = 22.0 if not frame.standing else 10.0
    widest = 1.7 if not frame.standing else 1.0
    room = frame.across + 40 if not frame.standing else frame.across
    fits: Callable[[float], bool] = lambda pitch: _room(ends, pitch, apart) <= room  # noqa: E731
    pitch = widest
    while pitch > 0.12 and not fits(pitch):
        pitch *= 0.92
    return pitch, apart
