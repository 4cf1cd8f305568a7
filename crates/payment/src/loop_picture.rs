//! The loop drawn as text: four stations, the way out above, the way back below, the slip hanging from the last bead.

use crate::evidence::{Bead, Loop, STATIONS};

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
pub fn text(beads: &Loop, zh: bool) -> String {
    let name = |i: usize| if zh { STATIONS[i].0 } else { STATIONS[i].1 };
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

fn centred(text: &str, width: usize) -> String {
    let columns: usize = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    let left = width.saturating_sub(columns) / 2;
    format!(
        "{}{text}{}",
        " ".repeat(left),
        " ".repeat(width.saturating_sub(columns + left))
    )
}
