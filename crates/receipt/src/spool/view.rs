//! What can be asked of the spool: how a slip stands, what a person should look at, and slips found again.
//!
//! Nothing here changes anything.

use super::copies::{Copies, Entry, Key, Says, Shelf};
use super::state::State;
use super::truth::{Cut, Evidence, JobState};
use super::{SEARCH_MAX, SpoolRecord};
use crate::answers::Status;
use crate::installed::InstalledPrinter;
use crate::slip::{CopyOf, Title};
use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};

/// The spool of one printer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spool(pub(super) State<Shelf>);

/// Everything known about one copy of a slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyKnown {
    /// Where its latest print stands.
    pub state: JobState,
    /// The best evidence of any of its prints.
    pub evidence: Evidence,
    /// Prints that were started; the first is the original, the next ones are marked.
    pub prints: u32,
    /// Prints that reached E4.
    pub printed: u32,
    /// What became of its cut.
    pub cut: Cut,
    /// What somebody saw to be wrong with an earlier print.
    pub cause: Option<Trouble>,
}

/// What a slip is looked for by; what is `None` is not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Amount in fen.
    pub amount_minor: Option<u64>,
    /// The last four digits of the card number.
    pub last_four: Option<String>,
    /// The beginning of date and time: `2026-11-22` or `2026-11-22 14`.
    pub date: Option<String>,
    /// 凭证号.
    pub voucher: Option<u32>,
}

/// A slip that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlipFound {
    /// For [`super::SpoolInput::Reprint`].
    pub slip_id: u64,
    /// What it is a proof of.
    pub title: Title,
    /// Date and time of the payment.
    pub date_time: String,
    /// Amount in fen.
    pub amount_minor: u64,
    /// Masked card number.
    pub masked_pan: String,
    /// 凭证号.
    pub voucher: u32,
}

impl Spool {
    /// Takes one record into the state.
    pub fn apply(&mut self, record: &SpoolRecord) {
        self.0.apply(record);
    }

    /// When a `Tick` is due, in microseconds.
    pub fn deadline(&self) -> Option<u64> {
        self.0.deadline()
    }

    /// The weakest of a slip's copies (state, best evidence), and how many prints reached E4 together.
    pub fn evidence(&self, slip_id: u64) -> Option<(JobState, Evidence, u32)> {
        let copies = self
            .0
            .copies
            .of(slip_id)
            .map(|(_, entry)| self.known(entry));
        let printed = copies.clone().map(|known| known.printed).sum();
        let weakest = |known: &CopyKnown| (known.evidence, known.state == JobState::Done);
        let known = copies.min_by_key(weakest)?;
        Some((known.state, known.evidence, printed))
    }

    /// Everything known about one copy.
    pub fn copy(&self, slip_id: u64, copy: CopyOf) -> Option<CopyKnown> {
        let entry = self.0.copies.get(&(slip_id, copy))?;
        Some(self.known(entry))
    }

    /// The slip that was submitted last, for "reprint last".
    pub fn last(&self) -> Option<u64> {
        self.0.core.last
    }

    /// What the printer last told about itself; unreachable while a wanted connection is down.
    pub fn printer(&self) -> Status {
        self.0.core.status
    }

    /// How its printer was found at the installation.
    pub fn installed(&self) -> InstalledPrinter {
        self.0.core.installed
    }

    /// Who switched printing off, and since when in microseconds; `None` while it is on.
    pub fn switched_off(&self) -> Option<(&str, u64)> {
        let off = self.0.core.off.as_ref()?;
        Some((&off.by, off.since_us))
    }

    /// How many copies still want to be printed, the one in the printer included.
    pub fn unfinished(&self) -> usize {
        self.0.copies.waiting_count() + usize::from(self.0.core.run.is_some())
    }

    /// The copies that still want to be printed, the one in the printer first.
    pub fn unfinished_copies(&self) -> impl Iterator<Item = (u64, CopyOf)> {
        let running = self.0.core.run.iter().map(|run| run.key);
        running.chain(self.0.copies.waiting().map(|(key, _)| key))
    }

    /// The copies that only a person can bring further, oldest first: [`super::PaperSeen::QUESTION`].
    pub fn questions(&self) -> impl Iterator<Item = (u64, CopyOf, CopyKnown)> {
        let open = self.0.copies.open();
        open.map(|((slip_id, copy), entry)| (slip_id, copy, self.known(entry)))
            .filter(|(_, _, known)| known.state.asks())
    }

    /// Every copy that is not known to be on paper, with what it is: those that want to be printed, then those that only
    /// a person can bring further.
    pub fn unprinted(&self) -> impl Iterator<Item = (SlipFound, CopyOf, JobState)> {
        let asking = self.questions().map(|(slip_id, copy, _)| (slip_id, copy));
        let keys = self.unfinished_copies().chain(asking);
        keys.filter_map(|key| {
            let entry = self.0.copies.get(&key)?;
            Some((found_slip(key.0, entry), key.1, self.known(entry).state))
        })
    }

    /// The slip that somebody should look at once, because the roll was touched before it (§3.6).
    pub fn look_at(&self) -> Option<(u64, CopyOf)> {
        self.0.core.look_at
    }

    /// The slips that fit, newest first, at most [`SEARCH_MAX`].
    pub fn search(&self, search: &Search) -> Vec<SlipFound> {
        let fits = |entry: &&Entry| search.fits(entry);
        let mut found: Vec<(&Key, &Entry)> = self.0.copies.all().collect();
        found.retain(|(_, entry)| fits(entry));
        found.sort_by(|(key, entry), (other_key, other)| {
            let this = (entry.says.date_time(), key);
            (other.says.date_time(), other_key).cmp(&this)
        });
        found.dedup_by_key(|((slip_id, _), _)| *slip_id);
        let found = found.into_iter().take(SEARCH_MAX);
        found.map(|(key, entry)| found_slip(key.0, entry)).collect()
    }

    fn known(&self, entry: &Entry) -> CopyKnown {
        self.0.core.known(entry)
    }
}

impl super::state::Core {
    pub(super) fn known(&self, entry: &Entry) -> CopyKnown {
        CopyKnown {
            state: self.shown(entry.stage),
            evidence: entry.evidence,
            prints: entry.runs,
            printed: entry.printed,
            cut: entry.cut,
            cause: entry.cause,
        }
    }
}

impl Search {
    fn fits(&self, entry: &Entry) -> bool {
        let begins = |date: &String| entry.says.date_time().starts_with(date.as_str());
        if !self.date.as_ref().is_none_or(begins) {
            return false;
        }
        let Some(fields) = entry.says.sale() else {
            return self.amount_minor.is_none()
                && self.voucher.is_none()
                && self.last_four.is_none();
        };
        let ends = |four: &String| fields.masked_pan.ends_with(four.as_str());
        self.amount_minor
            .is_none_or(|minor| minor == fields.amount_minor)
            && self.voucher.is_none_or(|voucher| voucher == fields.voucher)
            && self.last_four.as_ref().is_none_or(ends)
    }
}

fn found_slip(slip_id: u64, entry: &Entry) -> SlipFound {
    let sale = entry.says.sale();
    SlipFound {
        slip_id,
        title: match &entry.says {
            Says::Sale(fields) => fields.title,
            Says::Report(report) => report.title(),
        },
        date_time: entry.says.date_time().to_owned(),
        amount_minor: sale.map_or(0, |fields| fields.amount_minor),
        masked_pan: sale.map_or_else(String::new, |fields| fields.masked_pan.clone()),
        voucher: sale.map_or(0, |fields| fields.voucher),
    }
}
