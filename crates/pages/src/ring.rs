//! The loop as pages show it: the large drawing, and the same reduced to two rows of dots and a slip for a row of a list.

use crate::language::{Lang, drawn};
use crate::sale::SaleView;
use maud::{Markup, html};
use payment::evidence::{Bead, Loop};
use payment::loop_picture;
use std::fmt::Write;

/// The large drawing.
pub fn large(lang: Lang, sale: &SaleView) -> Markup {
    html! { figure.ring { (drawn(loop_picture::svg(sale.rail, &sale.beads, lang == Lang::Zh))) } }
}

/// Two rows of dots and a small slip: the way out above, the way back below, as in the large one.
pub fn small(sale: &SaleView) -> Markup {
    dots(&sale.beads)
}

/// The same of a loop alone.
pub fn dots(beads: &Loop) -> Markup {
    let mut svg = format!(
        r#"<svg class="dots" viewBox="0 0 78 28" width="78" height="28" role="img" aria-label="{}">"#,
        loop_picture::dots(beads)
    );
    for (n, bead) in beads[..7].iter().enumerate() {
        let (x, y) = if n < 4 {
            (7 + 16 * n, 8)
        } else {
            (7 + 16 * (6 - n), 21)
        };
        dot(&mut svg, x, y, *bead);
    }
    let _ = write!(
        svg,
        r#"<path class="{}" d="M64 9 h9 v14 l-3 -2 l-3 2 l-3 -2 z"/></svg>"#,
        class(beads[7])
    );
    drawn(svg)
}

fn dot(svg: &mut String, x: usize, y: usize, bead: Bead) {
    let class = class(bead);
    let _ = match bead {
        Bead::Broken => write!(
            svg,
            r#"<path class="{class}" d="M{} {} l8 8 m0 -8 l-8 8"/>"#,
            x - 4,
            y - 4
        ),
        Bead::Unknown => {
            write!(
                svg,
                r#"<text class="{class}" x="{x}" y="{}" text-anchor="middle">?</text>"#,
                y + 4
            )
        }
        _ => write!(
            svg,
            r#"<circle class="{class}" cx="{x}" cy="{y}" r="4.5"/>"#
        ),
    };
}

const fn class(bead: Bead) -> &'static str {
    match bead {
        Bead::Closed => "closed",
        Bead::Active => "active",
        Bead::NotReached => "ahead",
        Bead::Unknown => "unknown",
        Bead::Broken => "broken",
    }
}
