//! The refusal ladder: small rules in the order that decides which code a request gets.
//!
//! Invariant: a rule only reads; what a refusal does to the count of wrong PINs travels beside its code.

use crate::chip::chip;
use crate::config::{CardSetup, CardStatus};
use crate::issuer::{CardState, Issuer};
use crate::memory::Standing;
use crate::planted::Bug;
use crate::record::{ChipCheck, PinCheck, Tries};
use ledger::Entry;
use payment::host::Financial;
use payment::kind::PinRule;
use payment::{Claims, Now, Posting, ResponseCode};

/// Why not. Codes are those of UnionPay-style reference §6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decline(pub(crate) ResponseCode);

/// A request with what the bank knows of its card.
pub(crate) struct Case<'a> {
    pub(crate) issuer: &'a Issuer,
    now: Now,
    pub(crate) setup: &'a CardSetup,
    pub(crate) card: &'a CardState,
    pub(crate) sale: &'a Financial,
    pin: PinCheck,
    pub(crate) chip: ChipCheck,
}

/// Entries for the books, and what they add to the merchant's money, in minor units.
pub(crate) type Booked = (Vec<Entry>, i64);

type Rule = fn(&Case<'_>) -> Result<(), Decline>;

const BEFORE_PIN: [Rule; 3] = [status, expiry, chip];
const RECEIVING: [Rule; 1] = [receives];

impl<'a> Case<'a> {
    /// The first rung: the card is known and in the books.
    pub(crate) fn of(
        issuer: &'a Issuer,
        now: Now,
        sale: &'a Financial,
        pin: PinCheck,
        chip: ChipCheck,
    ) -> Result<Self, Decline> {
        let token = &sale.card.token;
        let setup = issuer.cards.get(token);
        let setup = setup.ok_or(Decline(ResponseCode::INVALID_CARD))?;
        let card = issuer.state.cards.get(token);
        // Configured, but its opening is not decided yet: the next tick does it.
        let card = card.ok_or(Decline(ResponseCode::ISSUER_UNAVAILABLE))?;
        Ok(Self {
            issuer,
            now,
            setup,
            card,
            sale,
            pin,
            chip,
        })
    }

    /// Climbs the rest.
    pub(crate) fn climb(&self) -> (Result<Booked, Decline>, Tries) {
        let served = check(
            self.sale.kind.row().is_financial(),
            ResponseCode::NOT_SUPPORTED,
        );
        let unit = check(
            self.sale.kind.row().unit == self.issuer.config.unit,
            ResponseCode::CURRENCY_MISMATCH,
        );
        let rules = || self.rules().iter().try_for_each(|rule| rule(self));
        if let Err(decline) = served.and(unit).and_then(|()| rules()) {
            return (Err(decline), Tries::Unchanged);
        }
        let (verified, tries) = self.verified();
        (verified.and_then(|()| self.booked()), tries)
    }

    /// What gives money back is not refused for the card's sake.
    fn rules(&self) -> &'static [Rule] {
        match self.sale.kind.row().posting {
            Posting::Credit | Posting::Undo | Posting::Release | Posting::Uncapture => &[],
            Posting::MoveIn => &RECEIVING,
            _ => &BEFORE_PIN,
        }
    }

    /// What the approval does to the books, once nothing speaks against it.
    fn booked(&self) -> Result<Booked, Decline> {
        let row = self.sale.kind.row();
        if !row.moves_money() {
            return Ok((Vec::new(), 0));
        }
        currency(self)?;
        check(self.sale.amount.minor > 0, ResponseCode::INVALID_AMOUNT)?;
        if self.issuer.counts(self.sale.kind) {
            amount_limits(self)?;
            count_limit(self)?;
        }
        let moved_minor = self.original()?;
        let entries = self
            .issuer
            .entries(self.now, self.setup, self.sale, moved_minor);
        Ok((entries.map_err(Decline)?, moved_minor))
    }

    /// Judges the earlier request that this one is about; gives what an approval adds to the merchant's money.
    fn original(&self) -> Result<i64, Decline> {
        let sale = self.sale;
        if sale.kind.row().original.is_none() {
            return Ok(Claims::default().moved(sale.kind, sale.amount, None));
        }
        let key = sale.original.ok_or(Decline(ResponseCode::FORMAT_ERROR))?;
        let state = &self.issuer.state;
        let first = state.memory.get(&key);
        let first = first.ok_or(Decline(ResponseCode::ORIGINAL_NOT_FOUND))?;
        check(
            first.token == sale.card.token,
            ResponseCode::INVALID_RELATED,
        )?;
        match first.standing {
            Standing::Approved => {}
            Standing::Declined => return Err(Decline(ResponseCode::INVALID_RELATED)),
            Standing::Reversed | Standing::Barred { .. } => {
                return Err(Decline(ResponseCode::RELATED_ERROR));
            }
        }
        let claims = state.related.claims(&key);
        let percents = self.issuer.config.percents;
        let admitted = claims.admit(sale.kind, sale.amount, (first.kind, first.amount), percents);
        let refund = sale.kind.row().posting == Posting::Credit;
        if !(refund && self.issuer.planted(Bug::IssuerRefundsBeyond)) {
            admitted.map_err(Decline)?;
        }
        Ok(claims.moved(sale.kind, sale.amount, Some(first.amount)))
    }

    /// The PIN. The try that uses up the last one, and every request after it, gets 75 (class C): 38 says the same but
    /// asks a person to act (class D), for which there is no reason.
    fn verified(&self) -> (Result<(), Decline>, Tries) {
        let refuse = |code, tries| (Err(Decline(code)), tries);
        if self.issuer.planted(Bug::IssuerIgnoresPin) {
            return (Ok(()), Tries::Unchanged);
        }
        let (tries_max, wrong_pins) = (self.issuer.config.pin_tries_max, self.card.wrong_pins);
        if self.setup.pin_offset.is_some() && wrong_pins >= tries_max {
            return refuse(ResponseCode::PIN_TRY_LIMIT, Tries::Unchanged);
        }
        let wrong = |code| match wrong_pins.saturating_add(1) >= tries_max {
            true => refuse(ResponseCode::PIN_TRY_LIMIT, Tries::Wrong),
            false => refuse(code, Tries::Wrong),
        };
        match self.pin {
            PinCheck::Right => (Ok(()), Tries::Right),
            PinCheck::Wrong => wrong(ResponseCode::WRONG_PIN),
            PinCheck::Format => wrong(ResponseCode::PIN_FORMAT),
            PinCheck::Absent if self.pin_is_demanded() => {
                // Nothing wrong was entered, so it is not 55 and costs no try: 05 持卡人认证失败.
                refuse(ResponseCode::NOT_AUTHENTICATED, Tries::Unchanged)
            }
            PinCheck::Absent => (Ok(()), Tries::Unchanged),
        }
    }

    fn pin_is_demanded(&self) -> bool {
        let limit = self.issuer.config.no_pin_limit_minor;
        match self.sale.kind.row().pin {
            PinRule::Always => true,
            PinRule::AboveLimit => {
                self.setup.pin_offset.is_some() && self.sale.amount.minor > limit
            }
            PinRule::Never => false,
        }
    }
}

fn check(holds: bool, code: ResponseCode) -> Result<(), Decline> {
    if holds { Ok(()) } else { Err(Decline(code)) }
}

fn status(case: &Case<'_>) -> Result<(), Decline> {
    Err(Decline(match case.setup.status {
        CardStatus::Normal => return Ok(()),
        CardStatus::Lost => ResponseCode::LOST_CARD,
        CardStatus::Stolen => ResponseCode::STOLEN_CARD,
        CardStatus::Restricted => ResponseCode::RESTRICTED_CARD,
        CardStatus::NotInitialised => ResponseCode::CARD_NOT_INITIALISED,
    }))
}

/// The codes of its status speak of the card at the till; this one is elsewhere.
fn receives(case: &Case<'_>) -> Result<(), Decline> {
    check(
        case.setup.status == CardStatus::Normal,
        ResponseCode::INVALID_CARD,
    )
}

/// A card is valid to the end of its last month, by the bank's own date in China and its own record of the card.
fn expiry(case: &Case<'_>) -> Result<(), Decline> {
    let today = case.now.wall.local();
    let years = u16::try_from(today.year() - 2000).unwrap_or(0);
    let month = years * 100 + today.month().unsigned_abs() as u16;
    check(case.setup.expiry >= month, ResponseCode::EXPIRED_CARD)
}

fn currency(case: &Case<'_>) -> Result<(), Decline> {
    check(
        case.sale.amount.currency == case.issuer.config.unit,
        ResponseCode::CURRENCY_MISMATCH,
    )
}

fn amount_limits(case: &Case<'_>) -> Result<(), Decline> {
    let minor = case.sale.amount.minor;
    let (spent, _) = case.card.totals_of(case.now.wall.day());
    let within = minor <= case.setup.single_limit_minor
        && spent.saturating_add(minor) <= case.setup.daily_limit_minor;
    check(within, ResponseCode::AMOUNT_LIMIT)
}

fn count_limit(case: &Case<'_>) -> Result<(), Decline> {
    let (_, count) = case.card.totals_of(case.now.wall.day());
    check(
        count < case.setup.daily_count_limit,
        ResponseCode::COUNT_LIMIT,
    )
}
