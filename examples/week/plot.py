"""Draws a person's nights and modes as an SVG: python3 plot.py [URL [FILE]]

Above: HRV of each night, the 60-day reference it is held against, the smallest worthwhile change around it
(half a standard deviation either way, on the logarithm), and the limit below which hrv_drop fires. Below: the
mode, and the trigger that led to it. All of it is read from the database; docs/week.md tells the story.

Needs psycopg. The same data give the same bytes.
"""

import datetime
import sys
from xml.sax.saxutils import escape

import psycopg

PERSON, FROM, TO = "mara", "2026-02-23 00:00+01", "2026-03-13 00:00+01"

# A reference is made of the 60 local days before the night's own; the limit is of two the higher one.
NIGHTS = """
WITH night AS (
  SELECT day, ended_at, value, avg(ln(value)) OVER before AS mean, stddev_samp(ln(value)) OVER before AS sd
    FROM biometrics.readings(%(person)s, 'hrv_rmssd')
  WINDOW before AS (ORDER BY day RANGE BETWEEN interval '60 days' PRECEDING AND interval '1 day' PRECEDING))
SELECT ended_at, value, exp(mean) AS reference, exp(mean - sd / 2) AS low, exp(mean + sd / 2) AS high,
       greatest(exp(mean) - (t ->> 'hrv_drop_ms')::float8,
                exp(mean) * (1 - (t ->> 'hrv_drop_percentage')::float8 / 100)) AS drop_limit
  FROM night, LATERAL (SELECT neuros.config() -> 'thresholds') AS of_config(t)
 WHERE ended_at >= %(from)s AND ended_at < %(to)s
 ORDER BY ended_at
"""
MODES = """
SELECT mode, greatest(since, %(from)s), least(until, %(to)s), coalesce(since >= %(from)s, false), trigger
  FROM neuros.mode_history(%(person)s, %(from)s, %(to)s)
"""

WIDTH, LEFT, RIGHT = 920, 96, 24
TOP, BOTTOM = 76, 316  # of the panel of HRV
LANES, LANE = 352, 26  # where the lanes of the modes begin, and how high one is
LANE_MODES = ["reflex", "guardian", "hypothesis", "pattern"]
HEIGHT = LANES + LANE * len(LANE_MODES) + 44
LEAST, MOST = 20, 90  # ms
LETTER = 6.6  # how wide one is, about

# A picture in a page cannot know the page's colours: it brings its own ground, light or dark. Plain rules,
# once for each, as not every viewer knows CSS variables.
SHAPES = """
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif }
.title { font-size: 16px; font-weight: 600 }
.end { text-anchor: end } .middle { text-anchor: middle }
path { fill: none; stroke-width: 1.5 } .grid { stroke-width: 1 }
.band { fill-opacity: .16 } .tint { fill-opacity: .1 } .nights { stroke-opacity: .35 }
.limit { stroke-dasharray: 5 4 } .night { stroke-width: 1.5 }
"""
COLOURS = """
text, .night { fill: %(ink)s } .faint { fill: %(faint)s } .ground { fill: %(ground)s }
.grid { stroke: %(grid)s } .nights { stroke: %(ink)s } .night { stroke: %(ground)s }
.band { fill: %(hrv)s } .reference { stroke: %(hrv)s }
.limit { stroke: %(reflex)s } .below { fill: %(reflex)s }
.reflex { fill: %(reflex)s } .guardian { fill: %(guardian)s }
.hypothesis { fill: %(hypothesis)s } .pattern { fill: %(pattern)s }
"""
LIGHT = {"ground": "#ffffff", "ink": "#1f2733", "faint": "#5d6878", "grid": "#e3e7ec", "hrv": "#2a6fb8",
         "reflex": "#d1382c", "guardian": "#c77f0a", "hypothesis": "#7650c8", "pattern": "#2f9273"}
DARK = {"ground": "#12171f", "ink": "#e4e9f0", "faint": "#9aa6b6", "grid": "#2a323d", "hrv": "#5aa2ea",
        "reflex": "#f2695c", "guardian": "#e5a63a", "hypothesis": "#a78bf0", "pattern": "#4fbd98"}
STYLE = f"{SHAPES}{COLOURS % LIGHT}@media (prefers-color-scheme: dark) {{{COLOURS % DARK}}}\n"


class Picture:
    """Lines of SVG; x is a time, y a number of milliseconds or of pixels."""

    def __init__(self, begin, end):
        self.begin, self.end, self.lines = begin, end, []

    def x(self, at):
        return LEFT + (WIDTH - LEFT - RIGHT) * ((at - self.begin) / (self.end - self.begin))

    @staticmethod
    def y(milliseconds):
        return BOTTOM - (BOTTOM - TOP) * (milliseconds - LEAST) / (MOST - LEAST)

    def path(self, kind, points, closed=False):
        drawn = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.lines.append(f'<path class="{kind}" d="M{drawn}{" Z" if closed else ""}"/>')

    def box(self, kind, left, top, right, bottom, corner=0):
        self.lines.append(f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}"'
                          f' height="{bottom - top:.1f}" rx="{corner}"/>')

    def dot(self, kind, x, y):
        self.lines.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>')

    def text(self, kind, x, y, words):
        self.lines.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>')

    def svg(self, title):
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            *self.lines, "</svg>", ""])


def draw_grid(picture):
    picture.box("ground", 0, 0, WIDTH, HEIGHT, 8)
    for milliseconds in range(LEAST, MOST + 1, 10):
        picture.path("grid", [(LEFT, picture.y(milliseconds)), (WIDTH - RIGHT, picture.y(milliseconds))])
        if milliseconds % 20 == 0:
            picture.text("faint end", LEFT - 8, picture.y(milliseconds) + 4, f"{milliseconds} ms")
    bottom = LANES + LANE * len(LANE_MODES)
    day = picture.begin
    while day < picture.end:
        picture.path("grid", [(picture.x(day), TOP), (picture.x(day), bottom)])
        middle = picture.x(day + datetime.timedelta(hours=12))
        picture.text("faint middle", middle, bottom + 17, f"{day:%a}")
        picture.text("faint middle", middle, bottom + 33,
                     f"{day.day} {day:%b}" if day == picture.begin or day.day == 1 else f"{day.day}")
        day += datetime.timedelta(days=1)


def draw_modes(picture, modes):
    for number, name in enumerate(LANE_MODES):
        picture.text("end", LEFT - 8, LANES + LANE * number + 17, name)
    for number, (mode, since, until, began, trigger) in enumerate(modes):
        left, right = picture.x(since), picture.x(until)
        top = LANES + LANE * LANE_MODES.index(mode)
        if mode != "pattern":
            picture.box(f"{mode} tint", left, TOP, right, BOTTOM)
        picture.box(mode, left, top + 4, right, top + LANE - 4, 3)
        # What led to pattern is always calm. A trigger stands behind its bar, or, where the next bar of the
        # lane is too near, before it.
        if began and mode != "pattern":
            later = [picture.x(each[1]) for each in modes[number + 1:] if each[0] == mode]
            if right + 8 + LETTER * len(trigger) < min(later, default=WIDTH - RIGHT):
                picture.text("faint", right + 6, top + 17, trigger)
            else:
                picture.text("faint end", left - 6, top + 17, trigger)


def draw_nights(picture, nights):
    xs = [picture.x(night.ended_at) for night in nights]

    def line(column):
        return [(x, picture.y(getattr(night, column))) for x, night in zip(xs, nights)]

    picture.path("band", line("high") + line("low")[::-1], closed=True)
    picture.path("reference", line("reference"))
    picture.path("limit", line("drop_limit"))
    picture.path("nights", line("value"))
    for x, night in zip(xs, nights):
        below = night.value < night.drop_limit
        picture.dot("night below" if below else "night", x, picture.y(night.value))
        if below:
            picture.text("middle", x, picture.y(night.value) + 19, f"{night.value:.0f} ms")


def draw_key(picture):
    picture.text("title", LEFT, 30, "Mara's bad week: HRV of each night, and her mode")
    x = LEFT
    for kind, words in (("night", "one night"), ("reference", "60-day reference"),
                        ("band", "± half a standard deviation"), ("limit", "below: hrv_drop")):
        if kind == "night":
            picture.dot(kind, x + 11, 51)
        elif kind == "band":
            picture.box(kind, x, 45, x + 22, 57)
        else:
            picture.path(kind, [(x, 51), (x + 22, 51)])
        picture.text("faint", x + 28, 55, words)
        x += 28 + LETTER * len(words) + 26


def main(url="postgresql:///auren", file="week.svg"):
    asked = {"person": PERSON, "from": FROM, "to": TO}
    begin, end = map(datetime.datetime.fromisoformat, (f"{FROM}:00", f"{TO}:00"))
    with psycopg.connect(url) as connection:
        # The person's own days, wherever this runs.
        connection.execute("SET timezone = 'Europe/Berlin'")
        with connection.cursor(row_factory=psycopg.rows.namedtuple_row) as cursor:
            nights = cursor.execute(NIGHTS, asked).fetchall()
        modes = connection.execute(MODES, asked).fetchall()
    picture = Picture(begin, end)
    draw_grid(picture)
    draw_modes(picture, modes)
    draw_nights(picture, nights)
    draw_key(picture)
    with open(file, "w", encoding="utf-8") as out:
        out.write(picture.svg("Eighteen nights of HRV with the band of the baseline, and the modes"))


if __name__ == "__main__":
    main(*sys.argv[1:])
