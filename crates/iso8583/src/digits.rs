//! Packed decimal and alphabets; eight digits at a time, and nothing is taken for a digit that is none.

/// Letters of `an`: digits, letters, space.
pub(crate) const AN: u8 = 1;
/// Anything but control characters; GBK text passes.
pub(crate) const ANS: u8 = 2;
/// Decimal digits.
pub(crate) const DIGIT: u8 = 4;
/// Upper-case hexadecimal digits.
pub(crate) const HEX: u8 = 8;
/// Track characters: digits, `=`, and `A` to `F` (`D` is the separator; an encrypted track has the others).
pub(crate) const TRACK: u8 = 16;

static ALPHABETS: [u8; 256] = alphabets();

const fn alphabets() -> [u8; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        let mut mask = 0;
        if byte.is_ascii_alphanumeric() || byte == b' ' {
            mask |= AN;
        }
        if byte >= 0x20 && byte != 0x7F {
            mask |= ANS;
        }
        if byte.is_ascii_digit() {
            mask |= DIGIT | HEX | TRACK;
        }
        if matches!(byte, b'A'..=b'F') {
            mask |= HEX | TRACK;
        }
        if byte == b'=' {
            mask |= TRACK;
        }
        table[index] = mask;
        index += 1;
    }
    table
}

/// Index of the first byte outside the alphabet.
#[inline]
pub(crate) fn outside(bytes: &[u8], alphabet: u8) -> Option<usize> {
    let all = bytes
        .iter()
        .fold(alphabet, |all, &byte| all & ALPHABETS[usize::from(byte)]);
    if all == alphabet {
        return None;
    }
    bytes
        .iter()
        .position(|&byte| ALPHABETS[usize::from(byte)] & alphabet == 0)
}

/// Digits of packed bytes, two for each; `HEX_DIGITS` allows nibbles above 9. `text` is twice as long as `packed`.
/// False if a nibble is not allowed; then `text` is worthless.
#[inline]
pub(crate) fn unpack<const HEX_DIGITS: bool>(packed: &[u8], text: &mut [u8]) -> bool {
    let mut bad = 0;
    let (groups, rest) = packed.as_chunks::<4>();
    let (text_groups, text_rest) = text.as_chunks_mut::<8>();
    for (group, digits) in groups.iter().zip(text_groups) {
        let nibbles = spread(u32::from_be_bytes(*group));
        let above = nibbles + 0x0606_0606_0606_0606;
        if !HEX_DIGITS {
            bad |= above & 0xF0F0_F0F0_F0F0_F0F0;
        }
        let letters = (above >> 4) & 0x0101_0101_0101_0101;
        *digits = (nibbles + 0x3030_3030_3030_3030 + letters * 7).to_be_bytes();
    }
    for (&byte, digits) in rest.iter().zip(text_rest.chunks_exact_mut(2)) {
        let (high, low) = (byte >> 4, byte & 15);
        if !HEX_DIGITS {
            bad |= u64::from(high > 9) | u64::from(low > 9);
        }
        digits[0] = hex_digit(high);
        digits[1] = hex_digit(low);
    }
    bad == 0
}

/// Packs digits, two to each byte; `HEX_DIGITS` allows `A` to `F`. `text` is twice as long as `packed`.
/// False if a character is not allowed; then `packed` is worthless.
#[inline]
pub(crate) fn pack<const HEX_DIGITS: bool>(text: &[u8], packed: &mut [u8]) -> bool {
    let mut bad = 0;
    let (groups, rest) = text.as_chunks::<8>();
    let (packed_groups, packed_rest) = packed.as_chunks_mut::<4>();
    for (digits, group) in groups.iter().zip(packed_groups) {
        if HEX_DIGITS {
            for (pair, byte) in digits.chunks_exact(2).zip(group) {
                *byte = pack_pair::<true>(pair, &mut bad);
            }
        } else {
            let nibbles = u64::from_be_bytes(*digits) ^ 0x3030_3030_3030_3030;
            bad |= (nibbles.wrapping_add(0x7676_7676_7676_7676) | nibbles) & 0x8080_8080_8080_8080;
            *group = gather(nibbles).to_be_bytes();
        }
    }
    for (pair, byte) in rest.chunks_exact(2).zip(packed_rest) {
        *byte = pack_pair::<HEX_DIGITS>(pair, &mut bad);
    }
    bad == 0
}

#[inline]
fn pack_pair<const HEX_DIGITS: bool>(pair: &[u8], bad: &mut u64) -> u8 {
    let (high, low) = (nibble::<HEX_DIGITS>(pair[0]), nibble::<HEX_DIGITS>(pair[1]));
    *bad |= u64::from((high | low) & 0xF0);
    high << 4 | low & 15
}

/// Value of one digit; above 15 if it is none.
#[inline]
pub(crate) fn nibble<const HEX_DIGITS: bool>(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'A'..=b'F' if HEX_DIGITS => digit - b'A' + 10,
        _ => 0xF0,
    }
}

/// Upper-case digit of a nibble.
#[inline]
pub(crate) fn hex_digit(nibble: u8) -> u8 {
    if nibble > 9 { nibble + 55 } else { nibble + 48 }
}

fn spread(packed: u32) -> u64 {
    let mut x = u64::from(packed);
    x = (x | x << 16) & 0x0000_FFFF_0000_FFFF;
    x = (x | x << 8) & 0x00FF_00FF_00FF_00FF;
    (x | x << 4) & 0x0F0F_0F0F_0F0F_0F0F
}

fn gather(nibbles: u64) -> u32 {
    let mut x = nibbles & 0x0F0F_0F0F_0F0F_0F0F;
    x = (x | x >> 4) & 0x00FF_00FF_00FF_00FF;
    x = (x | x >> 8) & 0x0000_FFFF_0000_FFFF;
    (x | x >> 16) as u32
}

/// Number of 1 to 18 decimal digits.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 || outside(digits, DIGIT).is_some() {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')),
    )
}

/// Writes a number right-justified with zeros; false if it does not fit.
pub(crate) fn write_number(value: u64, digits: &mut [u8]) -> bool {
    let mut rest = value;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    rest == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_is_the_inverse_of_unpacking_for_every_byte_and_position() {
        for length in 1..12 {
            for at in 0..length {
                for byte in 0..=255_u8 {
                    let mut packed = vec![0x12; length];
                    packed[at] = byte;
                    let (mut text, mut back) = (vec![0; 2 * length], vec![0; length]);
                    assert!(unpack::<true>(&packed, &mut text));
                    assert_eq!(text[2 * at..2 * at + 2], *format!("{byte:02X}").as_bytes());
                    assert!(pack::<true>(&text, &mut back));
                    assert_eq!(back, packed);
                    let decimal = byte >> 4 < 10 && byte & 15 < 10;
                    assert_eq!(unpack::<false>(&packed, &mut text), decimal);
                    if decimal {
                        assert!(pack::<false>(&text, &mut back));
                        assert_eq!(back, packed);
                    }
                }
            }
        }
    }

    #[test]
    fn only_digits_pack() {
        for at in 0..18 {
            for byte in 0..=255_u8 {
                let mut text = *b"123456789012345678";
                text[at] = byte;
                let mut packed = [0; 9];
                assert_eq!(pack::<false>(&text, &mut packed), byte.is_ascii_digit());
                assert_eq!(
                    pack::<true>(&text, &mut packed),
                    matches!(byte, b'0'..=b'9' | b'A'..=b'F')
                );
            }
        }
    }
}
