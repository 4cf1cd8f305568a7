//! A picture of black and white dots, with PNG and SVG drawings that show exactly these dots.
//!
//! Its size is bounded; what is drawn outside it is lost, as ink beside the paper.

use std::fmt::Write;

/// Widest picture in dots.
pub const WIDTH_DOTS_MAX: u32 = 2_048;
/// Highest picture in dots: four metres of paper.
pub const HEIGHT_DOTS_MAX: u32 = 32_768;

/// A picture of one bit a dot: rows of whole bytes, the leftmost dot in the highest bit, 1 is black.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitmap {
    width: u32,
    height: u32,
    bytes: Vec<u8>,
}

impl Bitmap {
    /// A white picture; a size beyond the limits is cut to them.
    pub fn new(width: u32, height: u32) -> Bitmap {
        let (width, height) = (width.min(WIDTH_DOTS_MAX), height.min(HEIGHT_DOTS_MAX));
        let bytes = vec![0; (width.div_ceil(8) * height) as usize];
        Bitmap {
            width,
            height,
            bytes,
        }
    }

    /// Dots in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows of dots.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Bytes of a row.
    pub fn row_bytes(&self) -> usize {
        self.width.div_ceil(8) as usize
    }

    /// All rows, from the top.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether a dot is black; outside all is white.
    pub fn get(&self, x: u32, y: u32) -> bool {
        self.place(x, y)
            .is_some_and(|(place, mask)| self.bytes[place] & mask != 0)
    }

    /// Draws a dot black or white.
    pub fn set(&mut self, x: u32, y: u32, black: bool) {
        if let Some((place, mask)) = self.place(x, y) {
            match black {
                true => self.bytes[place] |= mask,
                false => self.bytes[place] &= !mask,
            }
        }
    }

    /// Draws a black rectangle.
    pub fn fill(&mut self, left: u32, top: u32, width: u32, height: u32) {
        for y in top..top.saturating_add(height).min(self.height) {
            for x in left..left.saturating_add(width).min(self.width) {
                self.set(x, y, true);
            }
        }
    }

    /// Draws the black dots of another picture over this one, its corner at `left` and `top`.
    pub fn blit(&mut self, picture: &Bitmap, left: u32, top: u32) {
        for y in 0..picture.height {
            for x in (0..picture.width).filter(|&x| picture.get(x, y)) {
                self.set(left.saturating_add(x), top.saturating_add(y), true);
            }
        }
    }

    /// The same picture with white around it, as wide on every side.
    pub fn framed(&self, margin: u32) -> Bitmap {
        let both = margin.saturating_mul(2);
        let mut sheet = Bitmap::new(
            self.width.saturating_add(both),
            self.height.saturating_add(both),
        );
        sheet.blit(self, margin, margin);
        sheet
    }

    /// The picture as a PNG file of one bit a dot.
    pub fn png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width.max(1), self.height.max(1));
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let white_is_one: Vec<u8> = match self.bytes.is_empty() {
            true => {
                vec![0xFF; self.width.max(1).div_ceil(8) as usize * self.height.max(1) as usize]
            }
            false => self.bytes.iter().map(|byte| !byte).collect(),
        };
        encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(&white_is_one))
            .expect("a picture of this size is written to memory");
        file
    }

    /// The picture as an SVG document that needs nothing else. The description is its whole text, for
    /// whoever cannot see it; its first line is the title.
    pub fn svg(&self, description: &str) -> String {
        let (width, height) = (self.width, self.height);
        let title = description
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty());
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" shape-rendering=\"crispEdges\"><title>{}</title><desc>{}</desc>\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\
             <path stroke=\"#000\" d=\"{}\"/></svg>\n",
            escaped(title.unwrap_or_default()),
            escaped(description),
            self.runs(),
        )
    }

    /// Every horizontal run of black dots as a stroke of one dot's width.
    fn runs(&self) -> String {
        let mut path = String::new();
        for y in 0..self.height {
            let mut pen = None;
            let mut x = 0;
            while x < self.width {
                let start = x;
                while self.get(x, y) {
                    x += 1;
                }
                if x > start {
                    let moved = match pen {
                        None => write!(path, "M{start} {y}.5h{}", x - start),
                        Some(pen) => write!(path, "m{} 0h{}", start - pen, x - start),
                    };
                    moved.expect("text grows");
                    pen = Some(x);
                }
                x += 1;
            }
        }
        path
    }

    fn place(&self, x: u32, y: u32) -> Option<(usize, u8)> {
        let inside = x < self.width && y < self.height;
        inside.then(|| {
            let place = y as usize * self.row_bytes() + (x / 8) as usize;
            (place, 0x80 >> (x % 8))
        })
    }
}

/// Text that is safe between tags and in quoted attributes of XML and HTML; control characters, which
/// XML does not have, become blanks.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push('\n'),
            '\u{FFFE}' | '\u{FFFF}' => safe.push(' '),
            control if control.is_control() => safe.push(' '),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chess(width: u32, height: u32) -> Bitmap {
        let mut picture = Bitmap::new(width, height);
        for y in 0..height {
            for x in 0..width {
                picture.set(x, y, (x + y) % 3 == 0);
            }
        }
        picture
    }

    #[test]
    fn dots_stay_inside() {
        let mut picture = chess(13, 5);
        assert_eq!((picture.row_bytes(), picture.bytes().len()), (2, 10));
        assert_eq!(picture.bytes()[..2], [0b1001_0010, 0b0100_1000]);
        assert!(!picture.get(13, 0) && !picture.get(0, 5) && !picture.get(u32::MAX, u32::MAX));
        picture.set(13, 0, true);
        picture.set(u32::MAX, 0, true);
        assert_eq!(picture, chess(13, 5));
        let mut paper = Bitmap::new(13, 5);
        paper.blit(&picture, 0, 0);
        assert_eq!(paper, picture);
        paper.fill(1, 1, u32::MAX, u32::MAX);
        assert!(paper.get(12, 4) && paper.get(1, 1) && !paper.get(0, 1));
        let framed = picture.framed(7);
        assert_eq!((framed.width(), framed.height()), (27, 19));
        assert!(framed.get(7, 7) && !framed.get(0, 0));
        assert_eq!(Bitmap::new(3, 0).framed(u32::MAX).width(), WIDTH_DOTS_MAX);
        let all = Bitmap::new(u32::MAX, 1);
        assert_eq!((all.width(), all.height()), (WIDTH_DOTS_MAX, 1));
        assert_eq!(Bitmap::new(8, u32::MAX).height(), HEIGHT_DOTS_MAX);
    }

    #[test]
    fn a_png_holds_the_same_dots() {
        for picture in [chess(13, 5), chess(384, 40), chess(1, 1)] {
            let file = picture.png();
            let mut reader = png::Decoder::new(std::io::Cursor::new(file))
                .read_info()
                .unwrap();
            let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut bytes).unwrap();
            assert_eq!(
                (info.width, info.height),
                (picture.width(), picture.height())
            );
            for y in 0..picture.height() {
                for x in 0..picture.width() {
                    let byte = bytes[y as usize * picture.row_bytes() + (x / 8) as usize];
                    assert_eq!(byte & (0x80 >> (x % 8)) == 0, picture.get(x, y));
                }
            }
        }
        assert!(Bitmap::new(0, 0).png().starts_with(b"\x89PNG"));
    }

    #[test]
    fn an_svg_holds_runs_and_words() {
        let mut picture = Bitmap::new(9, 2);
        picture.fill(0, 0, 3, 1);
        picture.fill(5, 0, 4, 2);
        let svg = picture.svg("\n  签购单 <1>\n\u{1B}\"&\n");
        let path = "<path stroke=\"#000\" d=\"M0 0.5h3m2 0h4M5 1.5h4\"/>";
        assert!(svg.contains(path), "{svg}");
        let words =
            "<title>签购单 &lt;1&gt;</title><desc>\n  签购单 &lt;1&gt;\n &quot;&amp;\n</desc>";
        assert!(svg.contains(words), "{svg}");
    }
}
