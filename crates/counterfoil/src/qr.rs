//! QR codes of links and certificates: an SVG for pages, blocks for a till's text. Level M, with the quiet zone.

use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write;

/// White modules around a code.
const QUIET: usize = 4;

/// The code as an SVG of one path; `title` says what it is. None for a text that no code holds.
pub fn svg(text: &str, title: &str) -> Option<String> {
    let (width, dark) = modules(text)?;
    let across = width + 2 * QUIET;
    let mut path = String::new();
    for (place, _) in dark.iter().enumerate().filter(|(_, dark)| **dark) {
        let (x, y) = (place % width + QUIET, place / width + QUIET);
        let _ = write!(path, "M{x} {y}h1v1h-1z");
    }
    Some(format!(
        "<svg class=\"qr\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {across} {across}\" role=\"img\" \
         aria-label=\"{title}\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{across}v{across}H0z\"/>\
         <path d=\"{path}\"/></svg>"
    ))
}

/// The code as lines of half blocks, dark on light whatever the screen's colours are.
pub fn blocks(text: &str) -> Option<String> {
    let (width, dark) = modules(text)?;
    // Half of the quiet zone is enough on a screen, which is light all around.
    let margin = QUIET / 2;
    let across = width + 2 * margin;
    let at = |x: usize, y: usize| {
        let inside = |n: usize| (margin..margin + width).contains(&n);
        inside(x) && inside(y) && dark[(y - margin) * width + x - margin]
    };
    let mut lines = String::new();
    for y in (0..across).step_by(2) {
        lines.push_str("\x1b[30;107m");
        for x in 0..across {
            lines.push(match (at(x, y), at(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        lines.push_str("\x1b[0m\n");
    }
    Some(lines)
}

fn modules(text: &str) -> Option<(usize, Vec<bool>)> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let dark = code
        .to_colors()
        .into_iter()
        .map(|color| color == Color::Dark);
    Some((code.width(), dark.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_certificates_make_small_codes() {
        for (text, width) in [
            ("HTTPS://R.EXAMPLE/0123456789ABCDEF".to_owned(), 25),
            (format!("CF1:{}", "A".repeat(216)), 49),
        ] {
            assert_eq!(modules(&text).map(|(width, _)| width), Some(width));
            assert!(
                svg(&text, "x").is_some_and(|svg| svg.contains(&format!("0 0 {0} {0}", width + 8)))
            );
            assert!(blocks(&text).is_some_and(|lines| lines.lines().count() == (width + 5) / 2));
        }
        assert_eq!(svg(&"a".repeat(3_000), "x"), None);
    }
}
