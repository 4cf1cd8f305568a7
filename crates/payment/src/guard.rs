//! "Do not swipe again": the earlier sale that a new charge may repeat, a charge or cash that stands in its place, and the
//! notice to a till whose sale was taken back for it.
//!
//! Invariant: a replacement names exactly one earlier sale of the same merchant and a reason, and both are on record.

use crate::{Batch, MerchantId, SaleKey, Stan, TerminalId};
use serde::{Deserialize, Serialize};

/// Why somebody pays in place of an earlier sale whose result is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LinkReason {
    /// Cash was taken.
    Cash,
    /// The result takes too long.
    TooLong,
    /// The cardholder's bank shows no debit.
    NoDebitSeen,
    /// The cardholder asks for it.
    Cardholder,
    /// The supervisor decided.
    Supervisor,
}

impl LinkReason {
    /// Every reason, in wire order; the digit on the wire is the place.
    pub const ALL: [Self; 5] = [
        Self::Cash,
        Self::TooLong,
        Self::NoDebitSeen,
        Self::Cardholder,
        Self::Supervisor,
    ];

    /// The words, zh-CN and en.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Cash => ("改收现金", "cash was taken"),
            Self::TooLong => ("等待过久", "the result takes too long"),
            Self::NoDebitSeen => ("持卡人银行未见扣款", "the bank shows no debit"),
            Self::Cardholder => ("持卡人要求", "the cardholder asks for it"),
            Self::Supervisor => ("主管决定", "the supervisor decided"),
        }
    }

    /// The name by which a cashier types it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::TooLong => "toolong",
            Self::NoDebitSeen => "nodebit",
            Self::Cardholder => "cardholder",
            Self::Supervisor => "supervisor",
        }
    }
}

/// What stands in place of an earlier sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// The earlier sale, of the same merchant.
    pub earlier: SaleKey,
    /// Why.
    pub reason: LinkReason,
}

/// What a till is told of its approved sale when something else was paid in its place elsewhere, or the acquirer's staff
/// gave it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenBack {
    /// The sale.
    pub sale: SaleKey,
    /// What stands in its place; the sale itself when staff gave it back.
    pub by: SaleKey,
    /// Whether the issuer had debited nothing; none while nobody knows yet what becomes of the sale: the till reports again.
    pub never_debited: Option<bool>,
}

/// Tag of the earlier sale in an answer that refuses a charge.
const GUARD_TAG: &str = "GU";
/// Terminal 8, batch 6, trace 6.
const GUARD_LENGTH: usize = 20;
/// Tag of a replacement in a request.
const LINK_TAG: &str = "LK";
/// As the guard, then the reason's digit.
const LINK_LENGTH: usize = GUARD_LENGTH + 1;
/// Tag of a sale that was taken back, in any answer.
const TAKEN_BACK_TAG: &str = "TB";
/// The sale as the guard, what took its place likewise, then a letter.
const TAKEN_BACK_LENGTH: usize = 2 * GUARD_LENGTH + 1;

impl Linked {
    /// The tag of field 59 that carries it.
    pub fn write(&self) -> String {
        let reason = self.reason as u8;
        format!("{LINK_TAG}{LINK_LENGTH:03}{}{reason}", text(&self.earlier))
    }

    /// Finds it among the tags of a field 59; nonsense gives none. The merchant is the request's own.
    pub fn read(field: &[u8], merchant: MerchantId) -> Option<Self> {
        let value = crate::sign::tag(field, LINK_TAG.as_bytes())?;
        (value.len() == LINK_LENGTH).then_some(())?;
        let reason = value[GUARD_LENGTH].checked_sub(b'0')?;
        Some(Self {
            earlier: key(&value[..GUARD_LENGTH], merchant)?,
            reason: *LinkReason::ALL.get(usize::from(reason))?,
        })
    }
}

impl TakenBack {
    /// The tag of field 59 that carries it: letter `V` being reversed, `R` reversed, `N` reversed and never debited.
    pub fn write(&self) -> String {
        let letter = match self.never_debited {
            None => 'V',
            Some(false) => 'R',
            Some(true) => 'N',
        };
        format!(
            "{TAKEN_BACK_TAG}{TAKEN_BACK_LENGTH:03}{}{}{letter}",
            text(&self.sale),
            text(&self.by)
        )
    }

    /// Finds it among the tags of a field 59; nonsense gives none. The merchant is the request's own.
    pub fn read(field: &[u8], merchant: MerchantId) -> Option<Self> {
        let value = crate::sign::tag(field, TAKEN_BACK_TAG.as_bytes())?;
        (value.len() == TAKEN_BACK_LENGTH).then_some(())?;
        Some(Self {
            sale: key(&value[..GUARD_LENGTH], merchant)?,
            by: key(&value[GUARD_LENGTH..2 * GUARD_LENGTH], merchant)?,
            never_debited: match value[2 * GUARD_LENGTH] {
                b'V' => None,
                b'R' => Some(false),
                b'N' => Some(true),
                _ => return None,
            },
        })
    }
}

/// The tag of field 59 that names the earlier sale to a terminal whose charge was refused.
pub fn write_guard(earlier: &SaleKey) -> String {
    format!("{GUARD_TAG}{GUARD_LENGTH:03}{}", text(earlier))
}

/// Finds the earlier sale among the tags of a field 59; nonsense gives none. The merchant is the request's own.
pub fn read_guard(field: &[u8], merchant: MerchantId) -> Option<SaleKey> {
    key(crate::sign::tag(field, GUARD_TAG.as_bytes())?, merchant)
}

fn text(key: &SaleKey) -> String {
    format!("{}{}{}", key.terminal, key.batch, key.stan)
}

fn key(value: &[u8], merchant: MerchantId) -> Option<SaleKey> {
    (value.len() == GUARD_LENGTH).then_some(())?;
    let number = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok()?;
        digits.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
        digits.parse().ok()
    };
    Some(SaleKey {
        terminal: TerminalId::parse(&value[..8])?,
        merchant,
        batch: Batch(number(&value[8..14])?),
        stan: Stan(number(&value[14..])?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tags_survive_the_wire_and_nonsense_gives_none() {
        let merchant = MerchantId(*b"898310154110001");
        let earlier = SaleKey {
            terminal: TerminalId(*b"T0000001"),
            merchant,
            batch: Batch(17),
            stan: Stan(999_999),
        };
        assert_eq!(write_guard(&earlier), "GU020T0000001000017999999");
        for reason in LinkReason::ALL {
            let linked = Linked { earlier, reason };
            let both = format!("{}{}", write_guard(&earlier), linked.write());
            assert_eq!(read_guard(both.as_bytes(), merchant), Some(earlier));
            assert_eq!(Linked::read(both.as_bytes(), merchant), Some(linked));
        }
        for bad in [
            "",
            "LK",
            "LK021T00000010000179999995",
            "LK021T0000001000017999999",
            "LK020T0000001000017999999",
            "LK021T000000100001X9999990",
            "GU020T00000010000179999990",
        ] {
            assert_eq!(Linked::read(bad.as_bytes(), merchant), None, "{bad}");
        }
        let by = SaleKey {
            terminal: TerminalId(*b"T0000002"),
            ..earlier
        };
        for never_debited in [None, Some(false), Some(true)] {
            let told = TakenBack {
                sale: earlier,
                by,
                never_debited,
            };
            let wire = format!("{}{}", write_guard(&by), told.write());
            assert_eq!(TakenBack::read(wire.as_bytes(), merchant), Some(told));
        }
        for bad in [
            "",
            "TB041T0000001000017999999T0000002000017999999X",
            "TB040T0000001000017999999T0000002000017999999",
            "TB041T00000010000179999x9T0000002000017999999R",
        ] {
            assert_eq!(TakenBack::read(bad.as_bytes(), merchant), None, "{bad}");
        }
        for bad in ["", "GU019T000000100001799999", "GU020T000000100001799999 "] {
            assert_eq!(read_guard(bad.as_bytes(), merchant), None, "{bad}");
        }
    }
}
