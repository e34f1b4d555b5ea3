"""Small SVG plots without any library: lines over a logarithmic or plain axis, and horizontal bars.

Every plot brings its own white background, so that it can be read on dark pages, too.
"""
import math
from xml.sax.saxutils import escape

COLOURS = ("#1f6feb", "#d9480f", "#2b8a3e", "#862e9c", "#5c5f66", "#0b7285", "#a61e4d", "#6b5900")
FONT = 'font-family="system-ui, sans-serif"'
INK, GRID = "#24292f", "#d8dee4"


def number(value):
    """A number as an axis or a bar shows it."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))) - 1)
    text = f"{value:,.{min(digits, 4)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def steps(low, high, wanted=6):
    """Round numbers from low to high, about as many as wanted."""
    if high <= low:
        return [low]
    raw = (high - low) / wanted
    power = 10 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw)
    first = math.ceil(low / step - 1e-9) * step
    return [first + i * step for i in range(int((high - first) / step + 1e-9) + 1)]


def log_steps(low, high):
    """1, 2 and 5 times the powers of ten within the range."""
    found = [m * 10.0 ** e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for m in (1, 2, 5)]
    return [v for v in found if low * 0.999 <= v <= high * 1.001]


class Canvas:
    def __init__(self, width, height, title):
        self.width, self.height = width, height
        self.parts = []
        self.text(width / 2, 24, title, size=15, anchor="middle", weight="600")

    def text(self, x, y, text, size=12, anchor="start", weight="400", turn=None, colour=INK):
        rotate = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
                          f'fill="{colour}"{rotate}>{escape(str(text))}</text>')

    def line(self, x0, y0, x1, y1, colour=GRID, width=1.0, dash=None):
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{colour}" '
                          f'stroke-width="{width}"{dashes}/>')

    def path(self, points, colour, dash=None):
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')

    def dot(self, x, y, colour, radius=3.0):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}"/>')

    def box(self, x, y, width, height, colour, opacity=1.0):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" fill="{colour}" '
                          f'fill-opacity="{opacity}"/>')

    def svg(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
                f'height="{self.height}" {FONT}>\n<rect width="100%" height="100%" fill="#ffffff"/>\n'
                + "\n".join(self.parts) + "\n</svg>\n")


def lines(title, x_label, y_label, series, log_x=True, y_range=None, width=760, height=440):
    """Lines through points.

    `series`: (name, [(x, y)], options) with options `colour` (a number or a colour), `dash` and `radii` (of each dot).
    """
    canvas = Canvas(width, height, title)
    legend = 22 * ((len(series) + 2) // 3)
    left, right, top, bottom = 64, width - 24, 44, height - 56 - legend
    xs = [x for _, points, _ in series for x, _ in points]
    ys = [y for _, points, _ in series for _, y in points]
    if not xs:
        return canvas.svg()
    low_y, high_y = y_range or (min(ys), max(ys))
    if log_x:
        low_x, high_x = min(xs) / 1.15, max(xs) * 1.15
        place_x = lambda x: left + (right - left) * math.log(x / low_x) / math.log(high_x / low_x)
        ticks = log_steps(low_x, high_x)
    else:
        low_x, high_x = 0, max(xs) * 1.05
        place_x = lambda x: left + (right - left) * (x - low_x) / (high_x - low_x)
        ticks = steps(low_x, high_x)
    place_y = lambda y: bottom - (bottom - top) * (y - low_y) / ((high_y - low_y) or 1)
    for tick in ticks:
        canvas.line(place_x(tick), top, place_x(tick), bottom)
        canvas.text(place_x(tick), bottom + 18, number(tick), anchor="middle")
    for tick in steps(low_y, high_y):
        canvas.line(left, place_y(tick), right, place_y(tick))
        canvas.text(left - 8, place_y(tick) + 4, f"{tick:.3f}".rstrip("0").rstrip("."), anchor="end")
    canvas.line(left, bottom, right, bottom, INK)
    canvas.line(left, top, left, bottom, INK)
    canvas.text((left + right) / 2, bottom + 40, x_label, anchor="middle")
    canvas.text(18, (top + bottom) / 2, y_label, anchor="middle", turn=-90)
    for n, (name, points, style) in enumerate(series):
        colour = style.get("colour", n)
        colour = COLOURS[colour % len(COLOURS)] if isinstance(colour, int) else colour
        shown = [(place_x(x), place_y(y)) for x, y in points if low_y <= y <= high_y]
        if len(shown) > 1 and not style.get("scatter"):
            canvas.path(shown, colour, style.get("dash"))
        for (x, y), radius in zip(shown, style.get("radii") or [3.0] * len(shown)):
            canvas.dot(x, y, colour, radius)
        x, y = left + (n % 3) * (right - left) / 3, height - legend + 22 * (n // 3) + 6
        canvas.line(x, y - 4, x + 26, y - 4, colour, 2.5, style.get("dash"))
        canvas.text(x + 32, y, name)
    return canvas.svg()


def bars(title, unit, groups, names, width=760):
    """Horizontal bars.

    `groups`: (label, [(name, [values])]); the values of a bar are stacked, the later ones paler. `names` are those of the
    stacked parts, for the legend; colours go by the bar's name.
    """
    rows = sum(len(entries) for _, entries in groups)
    height = 96 + rows * 22 + len(groups) * 14
    canvas = Canvas(width, height, title)
    left, right = 200, width - 110
    longest = max((sum(values) for _, entries in groups for _, values in entries), default=1) or 1
    place = lambda v: (right - left) * v / longest
    engines = list(dict.fromkeys(name for _, entries in groups for name, _ in entries))
    y = 48
    for tick in steps(0, longest):
        canvas.line(left + place(tick), y - 6, left + place(tick), height - 52)
        canvas.text(left + place(tick), height - 36, number(tick), anchor="middle", size=11)
    for label, entries in groups:
        canvas.text(left - 10, y + 11 * len(entries) + 3, label, anchor="end")
        for name, values in entries:
            x, colour = left, COLOURS[engines.index(name) % len(COLOURS)]
            for part, value in enumerate(values):
                canvas.box(x, y, place(value), 17, colour, (1.0, 0.45, 0.25)[min(part, 2)])
                x += place(value)
            canvas.text(x + 6, y + 13, number(sum(values)), size=11)
            y += 22
        y += 14
    x = left
    for n, name in enumerate(engines):
        for part, opacity in zip(names or [""], (1.0, 0.45, 0.25)):
            canvas.box(x, height - 22, 14, 12, COLOURS[n % len(COLOURS)], opacity)
            text = f"{name}, {part}" if part else name
            canvas.text(x + 19, height - 12, text, size=11)
            x += 32 + 6.2 * len(text)
    canvas.text(width - 12, height - 36, unit, anchor="end", size=11)
    return canvas.svg()
