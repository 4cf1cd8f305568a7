//! The loop drawn as text and as SVG: four stations, the way out above, the way back below, the slip hanging from the last bead.

use crate::evidence::{Bead, Loop, stations};
use crate::kind::Rail;

/// ● closed, ◐ active, ○ not reached, ? unknown, ✕ broken.
pub const fn symbol(bead: Bead) -> char {
    match bead {
        Bead::Closed => '●',
        Bead::Active => '◐',
        Bead::NotReached => '○',
        Bead::Unknown => '?',
        Bead::Broken => '✕',
    }
}

/// Columns between two stations.
const GAP: usize = 11;

/// The picture in four lines, without a trailing newline:
///
/// ```text
///      POS         前置        银联       发卡行
///       ●───────────●───────────●┄┄┄┄┄┄┄┄┄┄┄?
///       ○┄┄┄┄┄┄┄┄┄┄┄✕┄┄┄┄┄┄┄┄┄┄┄?┄┄┄┄┄┄┄┄┄┄┄┘
///       ▯ 小票
/// ```
pub fn text(rail: Rail, beads: &Loop, zh: bool) -> String {
    let name = |i: usize| name(rail, i, zh);
    let head: String = (0..4).map(|i| centred(name(i), GAP + 1)).collect();
    let line = |from: usize, to: usize| {
        let solid = beads[from] == Bead::Closed && beads[to] == Bead::Closed;
        (if solid { "─" } else { "┄" }).repeat(GAP)
    };
    let (mut out, mut back) = (String::new(), String::new());
    for station in 0..4 {
        out.push(symbol(beads[station]));
        if station < 3 {
            out.push_str(&line(station, station + 1));
            back.push(symbol(beads[6 - station]));
            back.push_str(&line(5 - station, 6 - station));
        }
    }
    let margin = " ".repeat(GAP / 2 + 1);
    format!(
        "{}\n{margin}{out}\n{margin}{back}┘\n{margin}{} {}",
        head.trim_end(),
        slip(beads[7]),
        name(7)
    )
}

const fn name(rail: Rail, station: usize, zh: bool) -> &'static str {
    let (in_zh, in_en) = stations(rail)[station];
    if zh { in_zh } else { in_en }
}

const fn slip(bead: Bead) -> char {
    match bead {
        Bead::Closed => '▮',
        Bead::NotReached => '▯',
        other => symbol(other),
    }
}

/// The loop in one word of two rows: `●●●? ?✕○▯`.
pub fn dots(beads: &Loop) -> String {
    let mut dots: String = beads[..4].iter().map(|b| symbol(*b)).collect();
    dots.push(' ');
    dots.extend(beads[4..7].iter().map(|b| symbol(*b)));
    dots.push(slip(beads[7]));
    dots
}

/// Width and height of the SVG, in its own units.
const SIZE: (u32, u32) = (640, 236);
/// Left edge of the first station, distance between stations, and the heights of both lanes.
const LEFT: u32 = 72;
const STEP: u32 = 156;
const LANES: (u32, u32) = (76, 156);

/// The loop as a picture of its own: no script, no outside font, readable at any size. Colour never speaks alone.
pub fn svg(rail: Rail, beads: &Loop, zh: bool) -> String {
    let (width, height) = SIZE;
    let name = |i: usize| name(rail, i, zh);
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{}" font-family="Inter, 'Noto Sans CJK SC', sans-serif"><rect width="{width}" height="{height}" rx="14" fill="#FFFFFF" stroke="#E4E1D8"/>"##,
        dots(beads)
    );
    for station in 0..4 {
        let x = LEFT + STEP * station as u32;
        svg.push_str(&format!(
            r##"<text x="{x}" y="42" text-anchor="middle" font-size="15" font-weight="600" fill="#1A1D21">{}</text>"##,
            name(station)
        ));
    }
    for hop in 0..6 {
        svg.push_str(&hop_line(hop, beads[hop], beads[hop + 1]));
    }
    for (station, bead) in beads[..7].iter().enumerate() {
        let (x, y) = place(station);
        svg.push_str(&bead_at(x, y, *bead));
    }
    svg.push_str(&slip_below(beads[7], name(7)));
    svg.push_str("</svg>\n");
    svg
}

/// Where a station's bead is; the issuer stands at the turn, between both lanes.
const fn place(station: usize) -> (u32, u32) {
    match station {
        0..=3 => (LEFT + STEP * station as u32, LANES.0),
        _ => (LEFT + STEP * (6 - station) as u32, LANES.1),
    }
}

/// Colour, dashes and sign of a bead.
const fn ink(bead: Bead) -> (&'static str, &'static str, &'static str) {
    match bead {
        Bead::Closed => ("#1E7B5B", "", "✓"),
        Bead::Active => ("#A8690A", "7 5", "…"),
        Bead::NotReached => ("#C9C5BA", "5 6", ""),
        Bead::Unknown => ("#A8690A", "7 5", "?"),
        Bead::Broken => ("#B3261E", "7 5", "✕"),
    }
}

fn hop_line(hop: usize, from: Bead, to: Bead) -> String {
    let (colour, dashes, _) = if matches!((from, to), (Bead::Closed, Bead::Closed)) {
        ink(Bead::Closed)
    } else {
        ink(worse(from, to))
    };
    let ((x1, y1), (x2, y2)) = (place(hop), place(hop + 1));
    let path = if hop == 3 {
        let right = x1 + 70;
        format!("M{x1} {y1} C{right} {y1} {right} {y2} {x1} {y2} L{x2} {y2}")
    } else {
        format!("M{x1} {y1} L{x2} {y2}")
    };
    let dash = if dashes.is_empty() {
        String::new()
    } else {
        format!(r#" stroke-dasharray="{dashes}""#)
    };
    format!(r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="4"{dash}/>"#)
}

/// A hop looks like the end that is worse off; towards a station not reached it is grey.
const fn worse(from: Bead, to: Bead) -> Bead {
    match (from, to) {
        (_, Bead::NotReached) => Bead::NotReached,
        (Bead::Broken, _) | (_, Bead::Broken) => Bead::Broken,
        (Bead::Closed | Bead::NotReached, other) | (other, _) => other,
    }
}

fn bead_at(x: u32, y: u32, bead: Bead) -> String {
    let (colour, _, sign) = ink(bead);
    let (fill, text) = match bead {
        Bead::Closed => (colour, "#FFFFFF"),
        _ => ("#FFFFFF", colour),
    };
    format!(
        r#"<circle cx="{x}" cy="{y}" r="12" fill="{fill}" stroke="{colour}" stroke-width="3"/><text x="{x}" y="{}" text-anchor="middle" font-size="14" font-weight="700" fill="{text}">{sign}</text>"#,
        y + 5
    )
}

/// The slip hangs from the last bead, perforated at its end.
fn slip_below(bead: Bead, name: &str) -> String {
    let (colour, _, sign) = ink(bead);
    let fill = if matches!(bead, Bead::Closed) {
        "#E7F3EE"
    } else {
        "#FFFFFF"
    };
    let (left, top) = (LEFT - 16, LANES.1 + 22);
    format!(
        r##"<path d="M{left} {top} h32 v34 l-5 -4 l-6 4 l-5 -4 l-5 4 l-6 -4 l-5 4 z" fill="{fill}" stroke="{colour}" stroke-width="2.5"/><text x="{LEFT}" y="{}" text-anchor="middle" font-size="14" font-weight="700" fill="{colour}">{sign}</text><text x="{}" y="{}" font-size="14" fill="#5B626B">{name}</text>"##,
        top + 20,
        left + 44,
        top + 22
    )
}

fn centred(text: &str, width: usize) -> String {
    let columns: usize = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    let left = width.saturating_sub(columns) / 2;
    format!(
        "{}{text}{}",
        " ".repeat(left),
        " ".repeat(width.saturating_sub(columns + left))
    )
}
