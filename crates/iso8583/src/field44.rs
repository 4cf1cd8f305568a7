//! Element 44 of answers: the issuer's and the acquirer's institution, eleven characters each (reference §2.3).

/// Characters of one institution.
pub const INSTITUTION_CHARS: usize = 11;

/// The sub-fields of element 44, without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field44<'a> {
    /// Issuing side.
    pub issuer: &'a [u8],
    /// Acquiring side; empty if the element is that short.
    pub acquirer: &'a [u8],
}

impl<'a> Field44<'a> {
    /// Reads the logical value; every value has a reading.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Self {
        let (issuer, rest) = value.split_at(value.len().min(INSTITUTION_CHARS));
        let acquirer = &rest[..rest.len().min(INSTITUTION_CHARS)];
        Self {
            issuer: issuer.trim_ascii_end(),
            acquirer: acquirer.trim_ascii_end(),
        }
    }

    /// Writes the logical value; longer institutions are cut to eleven characters.
    #[must_use]
    pub fn write(&self) -> [u8; 2 * INSTITUTION_CHARS] {
        let mut value = [b' '; 2 * INSTITUTION_CHARS];
        let (issuer, acquirer) = value.split_at_mut(INSTITUTION_CHARS);
        for (place, text) in [(issuer, self.issuer), (acquirer, self.acquirer)] {
            for (to, from) in place.iter_mut().zip(text) {
                *to = *from;
            }
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn institutions_lose_and_regain_their_padding() {
        let field = Field44::parse(b"03080000   48520000   ");
        assert_eq!(
            field,
            Field44 {
                issuer: b"03080000",
                acquirer: b"48520000"
            }
        );
        assert_eq!(&field.write(), b"03080000   48520000   ");
        assert_eq!(
            Field44::parse(b"0308"),
            Field44 {
                issuer: b"0308",
                acquirer: b""
            }
        );
        assert_eq!(Field44::parse(&[b'1'; 25]).acquirer.len(), 11);
    }
}
