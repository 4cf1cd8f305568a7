//! A chip card in the reader: presented, kept until its issuer's word comes, and what is remembered of it.
//!
//! Invariants: an approval of an inserted card counts only when the card agrees; a card that is gone does not; what is
//! remembered holds no card number, and the reader itself is no part of the state.

use crate::answer::is_answer;
use crate::command::show;
use crate::kernel::{
    self, Asked, CardReader, ChipRefusal, ChipTerminal, Completed, Condition, Evidence,
    FallbackRule, Interface, IssuerWord, MustInsert, Terms,
};
use crate::limits::COMPLETED_MAX;
use crate::record::Record;
use crate::{Decided, Presented, Screen, State, Terminal};
use crypto::{PanToken, Pin, PinFormat};
use payment::terminal::{Answer, MacCheck, Request, Sale, Standing};
use payment::{
    Amount, ApprovalCode, ChipRequest, EdgeError, EntryMode, Kind, Now, Original, ResponseCode,
    Rrn, SaleKey, Secrets, Surroundings, Track2,
};
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::fmt;

/// What a terminal with a chip reader is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChipReader {
    /// As cards see it.
    pub terminal: ChipTerminal,
    /// When a chip card may be swiped.
    pub fallback: FallbackRule,
}

/// How a chip card is presented.
#[derive(Clone, Copy, Debug)]
pub struct Presentation<'a> {
    /// Inserted or tapped.
    pub interface: Interface,
    /// For what.
    pub kind: Kind,
    /// For how much: the card signs it.
    pub amount: Amount,
    /// What its holder enters.
    pub pin: Option<&'a Pin>,
}

/// Why a chip card could not be presented.
#[derive(Debug)]
pub enum ChipProblem {
    /// This terminal has no chip reader.
    NoReader,
    /// A sale is unresolved: its card may still be in the reader.
    SaleUnresolved,
    /// Card and terminal did not come together.
    Card(ChipRefusal),
    /// Keys or the security module.
    Edge(EdgeError),
}

impl From<ChipRefusal> for ChipProblem {
    fn from(refusal: ChipRefusal) -> Self {
        Self::Card(refusal)
    }
}

impl From<EdgeError> for ChipProblem {
    fn from(error: EdgeError) -> Self {
        Self::Edge(error)
    }
}

impl From<crypto::SecurityError> for ChipProblem {
    fn from(error: crypto::SecurityError) -> Self {
        Self::Edge(error.into())
    }
}

/// What a presented chip brings beside number and track.
#[derive(Clone, Debug)]
pub struct ChipRead {
    /// Field 23.
    pub sequence: Option<u16>,
    /// What is remembered of the request.
    pub evidence: Evidence,
}

/// What is remembered of a chip transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChipKept {
    /// Of the request, then of the card's last word.
    pub evidence: Evidence,
    /// Tag DF31 of the scripts that came with the answer.
    pub scripts: Vec<u8>,
    /// Whether the card agreed to the approval; `None` before its last word.
    pub accepted: Option<bool>,
}

/// The reader: a card that waits for its issuer's word, and how the chips before it were read. It does not survive a restart.
#[derive(Default)]
pub(crate) struct Reader {
    card: RefCell<Option<Inserted>>,
    unreadable: Cell<u8>,
    no_application: Cell<bool>,
}

struct Inserted {
    asked: Asked,
    card: Box<dyn CardReader + Send>,
    kind: Kind,
    amount: Amount,
    token: PanToken,
}

impl Inserted {
    fn is_of(&self, sale: &Sale) -> bool {
        (self.kind, self.amount, self.token) == (sale.kind, sale.amount, sale.card.token)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

/// `YYMMDD` in China.
fn date(now: Now) -> u32 {
    let local = now.wall.local();
    let year = u32::from(local.year().unsigned_abs() % 100);
    (year * 100 + u32::from(local.month().unsigned_abs())) * 100
        + u32::from(local.day().unsigned_abs())
}

impl Terminal {
    /// Reads a chip card for one transaction: its cryptogram and, where it is wanted, the enciphered PIN. The card stays in
    /// the reader until the answer comes.
    ///
    /// # Errors
    /// See [`ChipProblem`]; the fallback rules count the chips that cannot be read.
    pub fn present_chip(
        &self,
        around: &Surroundings<'_>,
        mut card: Box<dyn CardReader + Send>,
        presentation: Presentation<'_>,
    ) -> Result<Presented, ChipProblem> {
        let Presentation {
            interface,
            kind,
            amount,
            pin,
        } = presentation;
        let terminal = self.chip_terminal().ok_or(ChipProblem::NoReader)?;
        if self.state.open.is_some() {
            return Err(ChipProblem::SaleUnresolved);
        }
        let [a, b, c, d, ..] = (around.random)();
        let terms = Terms {
            amount_minor: amount.minor,
            kind: if kind == Kind::BalanceInquiry {
                0x31
            } else {
                0x00
            },
            date: date(around.now),
            unpredictable: [a, b, c, d],
            sequence: self.state.next_stan.0,
            interface,
        };
        let opened = kernel::open(&terminal, terms, &mut *card);
        self.count_reading(opened.as_ref().err().copied());
        let opened = opened?;
        let pan = opened.pan().clone();
        let sealed = around.module.card(&pan, around.now.wall.day())?;
        let pin = match (pin.filter(|_| opened.wants_pin()), &self.state.keys) {
            (Some(pin), Some(keys)) => Some(around.module.encipher_pin(
                &keys.pin,
                PinFormat::WithPan,
                pin,
                &pan,
            )?),
            _ => None,
        };
        let asked = opened.authorise(&mut *card, pin.is_some())?;
        let read = ChipRead {
            sequence: asked.card_sequence(),
            evidence: asked.evidence(),
        };
        let presented = Presented {
            card: sealed,
            entry: asked.entry(),
            expiry: asked.track2().expiry(),
            secrets: Secrets {
                pan: Some(pan),
                track2: Some(asked.track2().clone()),
                pin_format: pin.is_some().then_some(PinFormat::WithPan),
                pin,
                chip: ChipRequest::new(&asked.request()),
                ..Secrets::default()
            },
            chip: Some(Box::new(read)),
        };
        *self.reader.card.borrow_mut() = Some(Inserted {
            asked,
            card,
            kind,
            amount,
            token: sealed.token,
        });
        Ok(presented)
    }

    fn count_reading(&self, refused: Option<ChipRefusal>) {
        let tried = &self.reader;
        match refused {
            Some(ChipRefusal::Unreadable) => {
                tried
                    .unreadable
                    .set(tried.unreadable.get().saturating_add(1));
            }
            Some(ChipRefusal::NoApplication) => tried.no_application.set(true),
            _ => self.forget_readings(),
        }
    }

    fn forget_readings(&self) {
        self.reader.unreadable.set(0);
        self.reader.no_application.set(false);
    }

    /// Whether this stripe may be read, by the fallback rules; a terminal without a chip reader reads every one.
    ///
    /// # Errors
    /// The card has a chip that was not tried.
    pub fn judge_swipe(&self, track2: &Track2) -> Result<Condition, MustInsert> {
        let Some(reader) = &self.config.chip else {
            return Ok(Condition::Normal);
        };
        kernel::stripe_condition(
            reader.fallback,
            track2.service_code(),
            self.reader.unreadable.get(),
            self.reader.no_application.get(),
        )
    }

    /// Field 22 of a stripe that was judged, and the tries that led to it are used up.
    pub(crate) fn stripe_entry(&self, condition: Condition, pin: bool) -> EntryMode {
        self.forget_readings();
        match (condition, pin) {
            (Condition::Fallback, true) => EntryMode::FALLBACK_PIN,
            (Condition::Fallback, false) => EntryMode::FALLBACK,
            (Condition::Improper, true) => EntryMode::IMPROPER_PIN,
            (Condition::Improper, false) => EntryMode::IMPROPER,
            (_, true) => EntryMode::STRIPE_PIN,
            (_, false) => EntryMode::STRIPE,
        }
    }

    /// Gives the issuer's word to the card in the reader, when this answer brings the last word on its sale.
    pub(crate) fn complete_chip(
        &self,
        request: &Request,
        mac: MacCheck,
        answer: &Answer,
    ) -> Option<Box<Completed>> {
        if !is_answer(answer, request) {
            return None;
        }
        let (sale, last_word) = match request {
            Request::Financial { sale, .. } => (*sale, mac == MacCheck::Right),
            Request::Query { .. } => {
                let standing = answer.standing.filter(|_| mac == MacCheck::Right)?.0;
                if standing == Standing::InProgress {
                    return None;
                }
                (self.state.open?.sale, standing == Standing::Approved)
            }
            _ => return None,
        };
        let mut slot = self.reader.card.borrow_mut();
        let mut inserted = slot.take_if(|inserted| inserted.is_of(&sale))?;
        let data = answer.chip.as_ref().map_or(&[][..], |chip| chip.bytes());
        // What carries no right MAC is no word, and an approval that is taken back is none either.
        let word = last_word.then_some(IssuerWord {
            code: answer.code,
            data,
        });
        Some(Box::new(inserted.asked.complete(&mut *inserted.card, word)))
    }

    /// Writes what the card's last word leaves behind; a script result is kept as an advice in front of everything else.
    pub(crate) fn keep_chip(
        &self,
        now: Now,
        request: &Request,
        answer: &Answer,
        done: &Completed,
        decided: &mut Decided,
    ) {
        let sale = match request {
            Request::Financial { sale, .. } => *sale,
            _ => match &self.state.open {
                Some(open) => open.sale,
                None => return,
            },
        };
        decided.record(Record::Chip {
            key: sale.key,
            chip: Box::new(ChipKept {
                evidence: done.evidence.clone(),
                scripts: done.scripts.clone(),
                accepted: Some(done.accepted),
            }),
        });
        if !done.scripts.is_empty() {
            let notice = self.script_result(now, &sale, answer.rrn, answer.approval);
            #[cfg(feature = "planted")]
            if self.planted == Some(crate::planted::Bug::ReportsScriptTwice) {
                decided.record(Record::Stored {
                    sale: notice,
                    at: now,
                });
            }
            decided.record(Record::Stored {
                sale: notice,
                at: now,
            });
        }
    }

    fn script_result(
        &self,
        now: Now,
        sale: &Sale,
        rrn: Option<Rrn>,
        approval: Option<ApprovalCode>,
    ) -> Sale {
        Sale {
            key: SaleKey {
                stan: self.state.next_stan,
                ..sale.key
            },
            kind: Kind::ScriptResult,
            amount: Amount::fen(0),
            entry: EntryMode(sale.entry.0 / 10 * 10 + 2),
            original: Some(Original {
                batch: sale.key.batch,
                stan: sale.key.stan,
                date: now.wall.date(),
                rrn,
                approval,
            }),
            tip_minor: None,
            ..*sale
        }
    }

    /// An approval of an inserted card stands only when the card has agreed to it; otherwise the sale is reversed with 96
    /// (UnionPay-style reference §4.1, §10.1, §10.2 point 11).
    pub(crate) fn card_refuses(&self, sale: &Sale, accepted: Option<bool>) -> bool {
        #[cfg(feature = "planted")]
        if self.planted == Some(crate::planted::Bug::BelievesAnyCard) {
            return false;
        }
        let inserted = sale.entry.is_chip() && !sale.entry.is_tap();
        inserted && sale.kind.row().original.is_none() && accepted != Some(true)
    }

    pub(crate) fn reverse_for_card(&self, now: Now, sale: &Sale, decided: &mut Decided) {
        show(Screen::CardRefused(sale.key), decided);
        self.reverse(now, ResponseCode::SYSTEM_ERROR, decided);
    }

    /// Field 55 of a request that is sent without its card: of a reversal or a script result.
    pub(crate) fn chip_secrets(&self, sale: &Sale) -> Secrets {
        let about = match (sale.kind, sale.original) {
            (Kind::ScriptResult, Some(original)) => (original.batch, original.stan),
            _ => (sale.key.batch, sale.key.stan),
        };
        let data = self.state.chip(about).map(|kept| match sale.kind {
            Kind::ScriptResult => kept.evidence.script_result(&kept.scripts),
            _ => kept.evidence.reversal(&kept.scripts),
        });
        Secrets {
            chip: data.and_then(|data| ChipRequest::new(&data)),
            ..Secrets::default()
        }
    }

    /// The rule by which a tap needed neither PIN nor signature (UnionPay-style reference §7.4).
    pub(crate) fn free_tap(&self, sale: &Sale) -> Option<receipt::Verification> {
        let terminal = self.chip_terminal();
        let terminal = terminal.filter(|_| sale.entry == EntryMode::TAP)?;
        let kept = self.state.chip((sale.key.batch, sale.key.stan));
        let tapped = kept.map_or(&[][..], |kept| &kept.evidence.aid);
        let limits = terminal.applications.iter();
        let own = limits.filter(|application| tapped.starts_with(&application.aid));
        let limit = own.map(|application| application.contactless_free_minor);
        Some(receipt::Verification::NeitherBelow(limit.min()?))
    }

    /// What the slip of a sale says of its chip.
    pub(crate) fn slip_chip(&self, sale: &Sale, decided: &Decided) -> Option<Box<receipt::Chip>> {
        let written = decided
            .records
            .iter()
            .rev()
            .find_map(|record| match record {
                Record::Chip { key, chip } if *key == sale.key => Some(&**chip),
                _ => None,
            });
        let kept = written.or_else(|| self.state.chip((sale.key.batch, sale.key.stan)))?;
        let evidence = &kept.evidence;
        let text = |tag| evidence.get(tag).map(hex).unwrap_or_default();
        let kind = match evidence.get(0x9F27) {
            Some([0x40]) => receipt::Cryptogram::Tc,
            Some([0x00]) => receipt::Cryptogram::Aac,
            _ => receipt::Cryptogram::Arqc,
        };
        Some(Box::new(receipt::Chip {
            aid: hex(&evidence.aid),
            label: evidence.label.clone(),
            preferred_name: String::new(),
            cryptogram_kind: kind,
            cryptogram: text(0x9F26),
            tvr: text(0x95),
            tsi: hex(&evidence.status.to_be_bytes()),
            atc: text(0x9F36),
            cvm: text(0x9F34),
            unpredictable: text(0x9F37),
            aip: text(0x82),
            sequence: sale
                .card_sequence
                .map_or_else(String::new, |n| format!("{n:03}")),
            iad: text(0x9F10),
        }))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

impl State {
    /// What is remembered of the chip of a transaction.
    pub fn chip(&self, (batch, stan): (payment::Batch, payment::Stan)) -> Option<&ChipKept> {
        self.chips.get(&(batch, stan))
    }

    pub(crate) fn keep_chip(&mut self, key: &SaleKey, chip: &ChipKept) {
        self.chips.insert((key.batch, key.stan), chip.clone());
        // As many as completed sales, and the one that is under way.
        if self.chips.len() > COMPLETED_MAX + 1 {
            self.chips.pop_first();
        }
    }
}
