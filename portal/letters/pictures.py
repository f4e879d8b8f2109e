"""The pictures of a letter: the QR code and, in the demo, a sample seal."""

import base64
import io
import math

import segno

SAMPLE = "样章"


def _as_data(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def qr(address: str) -> str:
    """A QR code of an address (error correction M), as a data address for an image."""
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        drawn, kind="svg", border=2, scale=4, dark="#1d2733", omitsize=True
    )
    return _as_data(drawn.getvalue().decode())


def sample_seal(around: str) -> str:
    """A round sample seal with 样章 across it, which cannot be mistaken for a real one."""
    letters = []
    spread = min(250, 24 * max(len(around), 1))
    for number, letter in enumerate(around):
        angle = math.radians(-90 - spread / 2 + spread * (number + 0.5) / len(around))
        x, y = 100 + 74 * math.cos(angle), 100 + 74 * math.sin(angle)
        turn = math.degrees(angle) + 90
        letters.append(
            f'<text x="{x:.1f}" y="{y:.1f}" transform="rotate({turn:.1f} {x:.1f} {y:.1f})" font-size="17">{letter}</text>'
        )
    return _as_data(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200">'
        '<g fill="none" stroke="#b8325a" stroke-opacity=".75"><circle cx="100" cy="100" r="94" stroke-width="5"/></g>'
        '<g fill="#b8325a" fill-opacity=".75" font-family="Letter, Letter Rare, Letter Rarest" text-anchor="middle" dominant-baseline="middle">'
        + "".join(letters)
        + f'<text x="100" y="112" font-size="40">{SAMPLE}</text></g></svg>'
    )
