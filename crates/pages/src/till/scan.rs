//! A code for the customer to scan, drawn here: nothing is fetched.

use super::{Door, TillView};
use crate::language::{Lang, drawn};
use maud::{Markup, html};
use receipt::qr::{Matrix, QUIET_MODULES};
use std::fmt::Write;

pub(super) fn code(lang: Lang, view: &TillView, _: &Door) -> Markup {
    let Some(code) = &view.code else {
        return html! {};
    };
    html! {
        section.card.code {
            (picture(&code.text).unwrap_or_default())
            div {
                h3 { (lang.pick(&code.words)) }
                p.second { (lang.pick(&code.hint)) }
                p.small.second.link { (code.text) }
            }
        }
    }
}

/// The code dark on white, whatever the colours of the page are; none for what is no text of a code.
pub fn picture(text: &str) -> Option<Markup> {
    let matrix = Matrix::of(text)?;
    let across = matrix.modules() + 2 * QUIET_MODULES;
    let mut path = String::new();
    for y in 0..matrix.modules() {
        for x in 0..matrix.modules() {
            if matrix.dark(x, y) {
                let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET_MODULES, y + QUIET_MODULES);
            }
        }
    }
    Some(drawn(format!(
        r##"<svg class="qr" viewBox="0 0 {across} {across}" width="176" height="176" role="img" aria-label="QR" shape-rendering="crispEdges"><rect width="{across}" height="{across}" fill="#fff"/><path d="{path}" fill="#000"/></svg>"##
    )))
}
