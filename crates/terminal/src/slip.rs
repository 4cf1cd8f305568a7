//! The slips of a sale: what goes into the spool, and what the spool knows of them.
//!
//! Paper never decides about money: nothing here changes how a sale ended.

use crate::record::{Approval, Ending, Record};
use crate::state::Completed;
use crate::{Decided, Effect, Screen, Terminal};
use crypto::Card;
use payment::payment_code::Brand;
use payment::sign::{SlipEvidence, Trouble};
use payment::terminal::Sale;
use payment::verdict::{self, Situation};
use payment::{BARTER_UNIT, Batch, Now, Original, SaleKey, Stan};
use receipt::{CopyOf, JobState, PaperSeen, SlipFields, SpoolEffect, SpoolInput, Title};

/// Number of the slip of a sale; never used again for another one within a batch's life.
pub fn slip_id(batch: Batch, stan: Stan) -> u64 {
    u64::from(batch.0) * 1_000_000 + u64::from(stan.0)
}

/// The proof of a reversal has a number of its own.
const REVERSAL_PROOF: u64 = 1 << 48;

/// What the proof of a reversal is called.
fn reversal_title(sale: &Sale) -> Title {
    match sale.kind.row().unit {
        BARTER_UNIT => Title::BarterReversal,
        _ => Title::ReversalProof,
    }
}

/// The remark that names the card that receives the amount.
fn receiver(to: &Card) -> (String, String) {
    let masked = to.masked();
    (format!("转入卡号 {masked}"), format!("To card {masked}"))
}

pub(crate) fn slip_of(completed: &Completed) -> Option<u64> {
    let id = slip_id(completed.sale.key.batch, completed.sale.key.stan);
    match completed.ending {
        Ending::Approved(_) => Some(id),
        Ending::Reversed { .. } => Some(id + REVERSAL_PROOF),
        Ending::Declined(_) | Ending::NotSent | Ending::Case | Ending::Replaced => None,
    }
}

impl Terminal {
    /// Submits the slips that an ending calls for: two copies of an approval, one proof of a reversal.
    pub(crate) fn print_slips(
        &self,
        now: Now,
        sale: &Sale,
        ending: &Ending,
        decided: &mut Decided,
    ) {
        if !self.config.prints {
            return;
        }
        let (language, paper) = (self.config.language, self.config.paper);
        let link = self.ending_link(decided);
        let submit = |slip_id, fields, copy| SpoolInput::Submit {
            slip_id,
            fields,
            copy,
            language,
            paper,
        };
        let id = slip_id(sale.key.batch, sale.key.stan);
        match ending {
            Ending::Approved(approval) => {
                let fields = SlipFields {
                    link,
                    chip: self.slip_chip(sale, decided),
                    ..self.approval(now, sale, approval)
                };
                // The barter agent keeps a stub too (product.md A66).
                let agent = sale.kind.row().unit == BARTER_UNIT;
                let copies = CopyOf::ALL
                    .into_iter()
                    .filter(|copy| *copy != CopyOf::Bank || agent);
                let slips: Vec<SpoolInput> = copies
                    .map(|copy| submit(id, fields.clone(), copy))
                    .collect();
                self.printer(now, slips, decided);
            }
            Ending::Reversed { never_debited } => {
                let when = verdict::reversed(*never_debited);
                let fields = SlipFields {
                    link,
                    chip: self.slip_chip(sale, decided),
                    ..self.fields(now, sale, reversal_title(sale), when)
                };
                self.printer(
                    now,
                    [submit(id + REVERSAL_PROOF, fields, CopyOf::Cardholder)],
                    decided,
                );
            }
            Ending::Declined(_) | Ending::NotSent | Ending::Case | Ending::Replaced => {}
        }
    }

    /// The proof that a sale was taken back, with what stands in its place; itself when the acquirer's staff gave it back.
    pub(crate) fn print_taken_back(
        &self,
        now: Now,
        completed: &Completed,
        ending: &Ending,
        by: SaleKey,
        decided: &mut Decided,
    ) {
        let Ending::Reversed { never_debited } = ending else {
            return;
        };
        if !self.config.prints {
            return;
        }
        let sale = &completed.sale;
        let when = verdict::reversed(*never_debited);
        let fields = self.fields(now, sale, reversal_title(sale), when);
        let replaced = match by == sale.key {
            true => (
                "已由收单机构退回".to_owned(),
                "Given back by the acquirer".to_owned(),
            ),
            false => (format!("已由 {by} 代替"), format!("Replaced by {by}")),
        };
        let fields = SlipFields {
            // An adjustment that is still on its way is refused: what was adjusted is never taken back.
            amount_minor: completed.approved_amount().minor,
            link: completed.link.and_then(|link| self.address(link)),
            remarks: fields.remarks.iter().cloned().chain([replaced]).collect(),
            ..fields
        };
        let submit = SpoolInput::Submit {
            slip_id: slip_id(sale.key.batch, sale.key.stan) + REVERSAL_PROOF,
            fields,
            copy: CopyOf::Cardholder,
            language: self.config.language,
            paper: self.config.paper,
        };
        self.printer(now, [submit], decided);
    }

    /// Passes inputs to the spool, each after the records of the one before.
    pub(crate) fn printer(
        &self,
        now: Now,
        inputs: impl IntoIterator<Item = SpoolInput>,
        decided: &mut Decided,
    ) {
        let (records, effects) = self.state.spool.decide_all(now.mono.0, inputs);
        decided
            .records
            .extend(records.into_iter().map(Record::Spool));
        for effect in effects {
            if let Some(screen) = self.screen_of(&effect) {
                decided.effect(Effect::Show(screen));
            }
            decided.effect(Effect::Printer(effect));
        }
    }

    /// What the cashier must know of the printer at once: that it stopped or goes on, and what only a person can see.
    fn screen_of(&self, effect: &SpoolEffect) -> Option<Screen> {
        match effect {
            SpoolEffect::PrinterChanged(status) => Some(Screen::Printer(status.trouble)),
            SpoolEffect::Changed {
                slip_id,
                copy,
                state: JobState::Unknown(_),
                ..
            } => Some(Screen::AskPaper {
                slip_id: *slip_id,
                copy: *copy,
            }),
            _ => None,
        }
    }

    /// Somebody looked at the paper of a slip: of the one that asks longest, unless it is named.
    pub(crate) fn paper_seen(
        &self,
        now: Now,
        stan: Option<Stan>,
        seen: PaperSeen,
        decided: &mut Decided,
    ) {
        let spool = &self.state.spool;
        let slip_id = match stan {
            Some(stan) => self.slip_with(|completed| completed.sale.key.stan == stan),
            None => spool
                .questions()
                .next()
                .map(|(slip_id, ..)| slip_id)
                .or(spool.last()),
        };
        let Some(slip_id) = slip_id else {
            decided.effect(Effect::Show(Screen::NoSuchSlip));
            return;
        };
        let copies = || {
            CopyOf::ALL
                .into_iter()
                .filter_map(move |copy| Some((copy, spool.copy(slip_id, copy)?)))
        };
        let asked = copies().any(|(_, known)| known.state.asks());
        let answered = copies()
            .filter(|(_, known)| !asked || known.state.asks())
            .map(|(copy, _)| SpoolInput::Answered {
                slip_id,
                copy,
                seen,
            });
        self.printer(now, answered, decided);
    }

    /// Printing is switched on or off by the operator at the till.
    pub(crate) fn switch_printing(&self, now: Now, on: bool, decided: &mut Decided) {
        let by = self.config.operator.clone();
        self.printer(now, [SpoolInput::SwitchedOff { off: !on, by }], decided);
        decided.effect(Effect::Show(self.printing_screen(on)));
    }

    /// Amber at the login when nothing is printed (A79).
    pub(crate) fn warn_of_printing(&self, decided: &mut Decided) {
        if self.state.spool.switched_off().is_some() {
            decided.effect(Effect::Show(self.printing_screen(false)));
        }
    }

    fn printing_screen(&self, on: bool) -> Screen {
        Screen::Printing {
            on,
            by: match self.state.spool.switched_off() {
                Some((by, _)) => by.to_owned(),
                None => self.config.operator.clone(),
            },
        }
    }

    /// The slip of the newest sale that fits.
    pub(crate) fn slip_with(&self, fits: impl Fn(&Completed) -> bool) -> Option<u64> {
        let newest = self.state.completed.iter().rev().find(|c| fits(c));
        let slip_id = newest.and_then(slip_of)?;
        self.state.spool.evidence(slip_id).map(|_| slip_id)
    }

    fn approval(&self, now: Now, sale: &Sale, approval: &Approval) -> SlipFields {
        let when = verdict::approved(sale.kind, approval.recovered);
        let title = match sale.kind.row().unit {
            BARTER_UNIT => Title::Barter,
            _ => Title::Purchase,
        };
        SlipFields {
            amount_minor: approval.amount.minor,
            auth_code: approval.approval.map(|code| code.to_string()),
            rrn: approval.rrn.map(|rrn| rrn.to_string()),
            signature_required: !sale.entry.has_pin()
                && !sale.entry.is_code()
                && self.free_tap(sale).is_none(),
            verification: self.free_tap(sale),
            ..self.fields(now, sale, title, when)
        }
    }

    fn fields(&self, now: Now, sale: &Sale, title: Title, when: Situation) -> SlipFields {
        let config = &self.config;
        let kind = sale.kind.row();
        let bin = format!("{:06}", sale.card.bin);
        let issuer = config
            .issuers
            .iter()
            .find(|(prefix, _)| bin.starts_with(prefix.as_str()));
        SlipFields {
            title,
            merchant_name: config.merchant_name.clone(),
            merchant_id: sale.key.merchant.to_string(),
            terminal_id: sale.key.terminal.to_string(),
            operator: config.operator.clone(),
            issuer: match Brand::of_card(&sale.card).filter(|_| sale.entry.is_code()) {
                Some(brand) => brand.words().0.to_owned(),
                None => issuer.map_or_else(String::new, |(_, name)| name.clone()),
            },
            acquirer: config.acquirer_name.clone(),
            masked_pan: sale.card.masked(),
            entry_letter: match sale.entry.is_code() {
                true => receipt::PAYMENT_CODE,
                false => sale.entry.letter(),
            },
            transaction: (kind.zh.to_owned(), kind.en.to_owned()),
            batch: sale.key.batch.0,
            voucher: sale.key.stan.0,
            auth_code: None,
            rrn: None,
            date_time: now.wall.text(),
            amount_minor: sale.amount.minor,
            headline: verdict::headline(sale.kind, when),
            remarks: remarks(sale),
            signature_required: false,
            verification: None,
            chip: None,
            link: None,
            training: false,
        }
    }

    /// What the sign says of a sale's slip.
    pub fn slip_evidence(&self, batch: Batch, stan: Stan) -> SlipEvidence {
        let id = slip_id(batch, stan);
        let known = self.state.spool.evidence(id);
        let (level, trouble) = match known {
            None if self.config.prints => (0, Trouble::None),
            None => (0, Trouble::SwitchedOff),
            Some((state, evidence, _)) => {
                let trouble = match state {
                    JobState::Held(trouble)
                    | JobState::Failed(trouble)
                    | JobState::Unknown(trouble)
                    | JobState::Skipped(trouble) => of_printer(trouble),
                    JobState::Queued | JobState::Printing | JobState::Done | JobState::Closed => {
                        Trouble::None
                    }
                };
                (evidence.level(), trouble)
            }
        };
        let (level, trouble) = match self.seen_wrong(id) {
            Some(cause) => (0, of_printer(cause)),
            None => (level, trouble),
        };
        let of_sale = |c: &&Completed| (c.sale.key.batch, c.sale.key.stan) == (batch, stan);
        let completed = self.state.completed.iter().rev().find(of_sale);
        SlipEvidence {
            level,
            trouble,
            eslip: completed.is_some_and(|c| c.eslip),
        }
    }
}

impl Terminal {
    /// What somebody saw to be wrong with a print whose reprint has not come out yet.
    fn seen_wrong(&self, slip_id: u64) -> Option<receipt::Trouble> {
        let copies = CopyOf::ALL.into_iter();
        let known = copies.filter_map(|copy| self.state.spool.copy(slip_id, copy));
        known
            .filter(|known| !matches!(known.state, JobState::Done | JobState::Closed))
            .find_map(|known| known.cause)
    }
}

/// The earlier transaction that a slip is about, as the cashier finds it (UnionPay-style reference §7.1).
fn original_remark(original: Original) -> (String, String) {
    let Original { batch, stan, .. } = original;
    let (mut zh, mut en) = (
        format!("原批次号 {batch} 原凭证号 {stan}"),
        format!("ORIGINAL BATCH {batch} VOUCHER {stan}"),
    );
    if let Some(rrn) = original.rrn {
        zh.push_str(&format!(" 原参考号 {rrn}"));
        en.push_str(&format!(" REF. {rrn}"));
    }
    (zh, en)
}

/// The earlier transaction, the card that receives, and that a scanned code needs no signature (UnionPay-style reference §7).
fn remarks(sale: &Sale) -> Vec<(String, String)> {
    let scanned = || {
        let words = ("扫码交易，免签名", "Scanned: no signature needed");
        (words.0.to_owned(), words.1.to_owned())
    };
    let original = sale.original.map(original_remark);
    let scanned = sale.entry.is_code().then(scanned);
    let receiver = sale.to.as_ref().map(receiver);
    original
        .into_iter()
        .chain(receiver)
        .chain(scanned)
        .collect()
}

fn of_printer(trouble: receipt::Trouble) -> Trouble {
    match trouble {
        receipt::Trouble::PaperOut => Trouble::PaperOut,
        receipt::Trouble::CoverOpen => Trouble::CoverOpen,
        receipt::Trouble::Jam | receipt::Trouble::Cutter => Trouble::Jam,
        receipt::Trouble::Offline
        | receipt::Trouble::Unreachable
        | receipt::Trouble::Stalled
        | receipt::Trouble::BusyElsewhere => Trouble::Offline,
        receipt::Trouble::Misconfigured => Trouble::WrongDevice,
        receipt::Trouble::Disabled => Trouble::SwitchedOff,
        receipt::Trouble::PowerLost | receipt::Trouble::Interrupted => Trouble::PowerLost,
        receipt::Trouble::HeadHot | receipt::Trouble::Voltage | receipt::Trouble::Fault => {
            Trouble::Head
        }
        receipt::Trouble::Blank => Trouble::Blank,
        receipt::Trouble::Unknown
        | receipt::Trouble::Partial
        | receipt::Trouble::NothingCameOut => Trouble::Unseen,
    }
}
