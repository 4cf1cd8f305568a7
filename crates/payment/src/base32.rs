//! Crockford's base32: bytes as letters that survive a QR code's alphanumeric mode, a telephone and a typing hand.
//!
//! What decodes has exactly one canonical text, upper case and without padding bits set.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The bytes as text, the highest bits first; the last character is filled up with zero bits.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(held << (5 - bits) & 31) as usize]));
    }
    text
}

/// The bytes of a text of either case, O read as 0, I and L as 1; none for any other character or a wrong length.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut held, mut bits) = (0_u32, 0);
    for character in text.bytes() {
        let value = match character.to_ascii_uppercase() {
            b'O' => 0,
            b'I' | b'L' => 1,
            upper => ALPHABET.iter().position(|known| *known == upper)? as u32,
        };
        held = held << 5 | value;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    // Bits left over must be fewer than a character, and zero.
    (bits < 5 && held == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_are_one_to_one() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"\0", "00"),
            (b"\xff", "ZW"),
            (b"foobar", "CSQPYRK1E8"),
            (b"\x00\x44\x32\x14\xc7", "01234567"),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).as_deref(), Some(bytes));
        }
        // Set padding bits, a lone character, a letter that is not in the alphabet.
        for bad in ["ZX", "0", "U0", "0 0"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
