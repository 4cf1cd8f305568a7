//! The identifiers of the field, as types that cannot be confused or hold what the wire cannot carry.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Fixed printable ASCII text of `N` bytes; compares and sorts by bytes.
macro_rules! ascii_identifier {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub [u8; $length]);

        impl $name {
            /// Reads exactly the wire's bytes; refused unless all are printable ASCII.
            pub fn parse(bytes: &[u8]) -> Option<Self> {
                let fixed: [u8; $length] = bytes.try_into().ok()?;
                fixed.iter().all(|b| (0x20..0x7f).contains(b)).then_some(Self(fixed))
            }

            /// The text, always ASCII.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or("")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

ascii_identifier!(
    /// Field 41, the terminal's number, 8 characters.
    TerminalId, 8
);

ascii_identifier!(
    /// Field 42, the merchant's number, 15 characters.
    MerchantId, 15
);
ascii_identifier!(
    /// Field 37, the retrieval reference number, assigned by the POS centre, unique within a clearing day.
    Rrn, 12
);
ascii_identifier!(
    /// Field 38, the issuer's approval code.
    ApprovalCode, 6
);

/// Field 11, the system trace audit number, 1 to 999999, cyclic (UnionPay-style reference §1.6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stan(pub u32);

impl Stan {
    /// The number after this one; 999999 is followed by 1.
    pub const fn next(self) -> Self {
        if self.0 >= 999_999 {
            Self(1)
        } else {
            Self(self.0 + 1)
        }
    }
}

impl fmt::Display for Stan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl fmt::Debug for Stan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

/// Field 60.2, the batch number the host assigned at sign-on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Batch(pub u32);

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

/// Fields 32, 33, 100: an institution's code, up to 11 digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Institution(pub u64);

impl fmt::Display for Institution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.0)
    }
}

impl fmt::Debug for Institution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.0)
    }
}

/// What identifies a sale at the terminal interface: fields 41, 42, 11 and batch 60.2, never the STAN alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SaleKey {
    /// Field 41.
    pub terminal: TerminalId,
    /// Field 42.
    pub merchant: MerchantId,
    /// Field 60.2.
    pub batch: Batch,
    /// Field 11.
    pub stan: Stan,
}

impl fmt::Display for SaleKey {
    /// `T0000001/000001/000042`: terminal, batch, trace.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.terminal, self.batch, self.stan)
    }
}

impl fmt::Debug for SaleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What identifies a message between hosts: fields 7, 11, 32 and 33 (UnionPay-style reference §8.9).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HostKey {
    /// Field 7, `MMDDhhmmss`.
    pub transmission: u64,
    /// Field 11.
    pub stan: Stan,
    /// Field 32.
    pub acquirer: Institution,
    /// Field 33.
    pub forwarder: Institution,
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:010}/{}/{}/{}",
            self.transmission, self.stan, self.acquirer, self.forwarder
        )
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_refuse_what_the_wire_cannot_mean() {
        assert_eq!(
            TerminalId::parse(b"T0000001")
                .map(|t| t.to_string())
                .as_deref(),
            Some("T0000001")
        );
        assert_eq!(TerminalId::parse(b"T000001"), None);
        assert_eq!(MerchantId::parse(b"12345678901234\0"), None);
        assert_eq!(Stan(999_999).next(), Stan(1));
    }
}
