"""Losses over steps as a picture: takes the points of some fits, gives an SVG's text."""

COLOURS = ["#4363d8", "#3cb44b", "#f58231", "#911eb4"]
WIDTH, HEIGHT, LEFT, TOP = 640, 320, 56, 24


def line(points, x, y, colour, dash):
    path = " ".join(f"{x(p):.1f},{y(v):.1f}" for p, v in points)
    style = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
    return f'<polyline points="{path}" {style}/>'


def text(x, y, words, anchor="start", colour="#333"):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def svg(curve):
    """Full lines: training loss; dashed: loss of the samples that the fit did not see."""
    fits = list(dict.fromkeys(p.fit for p in curve))
    last = max(p.step for p in curve)
    top = max(max(p.loss, p.held or 0) for p in curve) or 1.0

    def x(step):
        return LEFT + (WIDTH - LEFT - 16) * step / last

    def y(loss):
        return HEIGHT - 32 - (HEIGHT - 32 - TOP) * loss / top

    font = 'font-family="sans-serif" font-size="12"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {font}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        text(LEFT, 14, "loss; dashed: of samples the fit did not see"),
    ]
    for i in range(5):
        level = top * i / 4
        parts.append(
            f'<path d="M{LEFT} {y(level):.1f}H{WIDTH - 16}" stroke="#ddd" fill="none"/>'
            + text(LEFT - 6, round(y(level)) + 4, f"{level:.2g}", "end")
        )
    parts.append(
        text(LEFT, HEIGHT - 14, "0") + text(WIDTH - 16, HEIGHT - 14, f"step {last}", "end")
    )
    for i, name in enumerate(fits):
        colour = COLOURS[i % len(COLOURS)]
        points = [p for p in curve if p.fit == name]
        parts.append(line([(p.step, p.loss) for p in points], x, y, colour, "none"))
        parts.append(
            line([(p.step, p.held) for p in points if p.held is not None], x, y, colour, "6 4")
        )
        parts.append(text(WIDTH - 20, TOP + 14 * (i + 1), name, "end", colour))
    return "\n".join([*parts, "</svg>", ""])
