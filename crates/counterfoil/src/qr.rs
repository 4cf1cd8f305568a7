//! QR codes of links as blocks for a till's text: level M, with a quiet zone. Pages have theirs from the slip's drawing.

use qrcode::{Color, EcLevel, QrCode};

/// White modules around a code.
const QUIET: usize = 4;

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
            assert!(blocks(&text).is_some_and(|lines| lines.lines().count() == (width + 5) / 2));
        }
        assert_eq!(blocks(&"a".repeat(3_000)), None);
    }
}
