//! QR codes of links as blocks for a till's text.

use receipt::qr::{Matrix, QUIET_MODULES};

/// White modules around a code: half of the quiet zone is enough on a screen, which is light all around.
const MARGIN: u32 = QUIET_MODULES / 2;

/// The code as lines of half blocks, dark on light whatever the screen's colours are.
pub fn blocks(text: &str) -> Option<String> {
    let code = Matrix::of(text)?;
    let across = code.modules() + 2 * MARGIN;
    let at = |x: u32, y: u32| match (x.checked_sub(MARGIN), y.checked_sub(MARGIN)) {
        (Some(x), Some(y)) => code.dark(x, y),
        _ => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_certificates_make_small_codes() {
        for (text, width) in [
            ("HTTPS://R.EXAMPLE/0123456789ABCDEF".to_owned(), 25),
            (format!("CF1:{}", "A".repeat(216)), 49),
        ] {
            assert_eq!(Matrix::of(&text).map(|code| code.modules()), Some(width));
            let lines = blocks(&text).map(|lines| lines.lines().count());
            assert_eq!(lines, Some((width as usize + 5) / 2));
        }
        assert_eq!(blocks(&"a".repeat(3_000)), None);
    }
}
