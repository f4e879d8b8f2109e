"""Line charts as SVG, for reports that a browser shows without anything else."""

import html
from collections.abc import Sequence

WIDTH, HEIGHT = 760, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 34, 30
COLOURS = ("#0b5563", "#b8325a", "#8a4b08")


def line_chart(title: str, unit: str, lines: dict[str, Sequence[float]], step: float) -> str:
    """A chart of one or more series with a value for each `step` seconds."""
    most = max((value for values in lines.values() for value in values), default=0) or 1
    length = max((len(values) for values in lines.values()), default=1)

    def x(place: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * place / max(1, length - 1)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / most

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(title)}">',
        f'<text x="{LEFT}" y="16" font-size="14" font-weight="700">{html.escape(title)} ({html.escape(unit)})</text>',
    ]
    for share in (0, 0.5, 1):
        level = y(most * share)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{level:.1f}" y2="{level:.1f}" stroke="#ddd8cd"/>')
        parts.append(
            f'<text x="{LEFT - 6}" y="{level + 4:.1f}" font-size="11" text-anchor="end">{most * share:.4g}</text>'
        )
    for place in (0, length - 1):
        parts.append(
            f'<text x="{x(place):.1f}" y="{HEIGHT - 8}" font-size="11" text-anchor="middle">{place * step:.0f} s</text>'
        )
    for number, (name, values) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(f"{x(place):.1f},{y(value):.1f}" for place, value in enumerate(values))
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>')
        place = WIDTH - RIGHT - 150 * (len(lines) - number)
        parts.append(f'<text x="{place}" y="16" font-size="12" fill="{colour}">— {html.escape(name)}</text>')
    return "\n".join([*parts, "</svg>"])
