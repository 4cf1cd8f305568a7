//! QR codes of links: the matrix of error correction level M, and how large its modules are drawn.
//!
//! Only printable ASCII becomes a code, so that no byte of a payload can be a command to a printer.

use crate::bitmap::Bitmap;
use qrcode::{Color, EcLevel, QrCode};

/// White modules that must surround a code.
pub const QUIET_MODULES: u32 = 4;
/// Dots of a module where the paper is wide enough: 0.75 mm.
const MODULE_DOTS_MAX: u32 = 6;

/// The modules of a code, from the top left.
#[derive(Clone, Debug)]
pub struct Matrix {
    modules: u32,
    dark: Vec<bool>,
}

impl Matrix {
    /// The code of a payload; `None` where it is too long, empty or not printable ASCII.
    pub fn of(payload: &str) -> Option<Matrix> {
        let printable = payload.bytes().all(|byte| byte.is_ascii_graphic());
        if !printable || payload.is_empty() {
            return None;
        }
        let code = QrCode::with_error_correction_level(payload, EcLevel::M).ok()?;
        let dark = code
            .to_colors()
            .into_iter()
            .map(|color| color == Color::Dark);
        Some(Matrix {
            modules: u32::try_from(code.width()).ok()?,
            dark: dark.collect(),
        })
    }

    /// Modules of a side, without the quiet zone.
    pub fn modules(&self) -> u32 {
        self.modules
    }

    /// Whether a module is dark; the quiet zone and what is outside are not.
    pub fn dark(&self, x: u32, y: u32) -> bool {
        let inside = x < self.modules && y < self.modules;
        inside && self.dark[(y * self.modules + x) as usize]
    }

    /// Dots of a module on a paper of so many dots.
    pub fn module_dots(&self, paper_dots: u32) -> u32 {
        let across = self.modules + 2 * QUIET_MODULES;
        (paper_dots / across).clamp(1, MODULE_DOTS_MAX)
    }

    /// The code with its quiet zone.
    pub fn bitmap(&self, module_dots: u32) -> Bitmap {
        let across = (self.modules + 2 * QUIET_MODULES) * module_dots;
        let mut picture = Bitmap::new(across, across);
        for (place, _) in (0_u32..).zip(&self.dark).filter(|(_, dark)| **dark) {
            let [x, y] = [place % self.modules, place / self.modules]
                .map(|module| (module + QUIET_MODULES) * module_dots);
            picture.fill(x, y, module_dots, module_dots);
        }
        picture
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_stand_upright_inside_the_quiet_zone() {
        let payload = "HTTPS://R.EXAMPLE/7ZKQ4M2N8XJ0C5TB";
        let matrix = Matrix::of(payload).expect("a code");
        assert_eq!((matrix.modules, matrix.module_dots(384)), (25, 6));
        assert_eq!((matrix.module_dots(40), matrix.module_dots(0)), (1, 1));
        let code = QrCode::with_error_correction_level(payload, EcLevel::M).expect("a code");
        let expected = code.render::<char>().module_dimensions(1, 1).build();
        let picture = matrix.bitmap(2);
        let row = |y: u32| (0..33).map(move |x: u32| (x * 2, y * 2));
        let drawn: Vec<String> = (0..33)
            .map(|y| {
                let dots = row(y).map(|(x, y)| {
                    if picture.get(x + 1, y + 1) {
                        '█'
                    } else {
                        ' '
                    }
                });
                dots.collect()
            })
            .collect();
        assert_eq!(drawn.join("\n"), expected);
        for unfit in ["", "签", "a b", "\u{10}\u{4}", &"x".repeat(3_000)] {
            assert!(Matrix::of(unfit).is_none());
        }
    }
}
