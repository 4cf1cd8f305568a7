//! Batches as the judge counts them: what each side's records hold, what was uploaded, which breaks were named (M7).
//!
//! Nothing of the parties' own counting is used: totals are added up from the transactions that the judge saw.

use super::{End, Sale};
use crate::core::Core;
use crate::marks::Mark;
use crate::setup::{is_foreign, terminal_number};
use crate::weather::Fault;
use acquirer::Break;
use crypto::PanToken;
use payment::batch::{BatchTotals, BlockTotals, UploadPart, Uploaded};
use payment::kind::BatchSide;
use payment::terminal::{Request, Sealed};
use payment::{Batch, SaleKey, Stan};
use std::collections::{BTreeMap, BTreeSet};

/// Most records of one message (UnionPay-style reference §2.4).
const RECORDS_MAX: usize = 8;
/// Trace numbers of records that a till makes up start here.
const MADE_UP_FROM: u32 = 500_000;
/// Names of the faults' places, one for each till.
const TOTALS: u32 = 520;
const RECORDS: u32 = 540;

/// What is known of a batch.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// As the acquirer wrote them down: the till's, its own.
    compared: Option<(BatchTotals, BatchTotals)>,
    uploaded: BTreeMap<Stan, (PanToken, u64, bool)>,
    named: BTreeMap<Stan, Break>,
    /// The till said something else than it wrote down.
    miscounted: bool,
    withheld: BTreeSet<Stan>,
    made_up: BTreeSet<Stan>,
    /// Of which chips the acquirer has the last word.
    pub(super) chips: BTreeSet<Stan>,
}

impl super::Oracle {
    fn batch(&self, till: u8, batch: Batch) -> impl Iterator<Item = &Sale> {
        let counts = |sale: &&Sale| sale.kind.row().totals != BatchSide::Neither;
        let own = move |sale: &&Sale| {
            sale.terminal == till && sale.key.is_some_and(|key| key.batch == batch)
        };
        self.sales.iter().filter(own).filter(counts)
    }

    /// A break names it.
    pub fn is_broken(&self, key: &SaleKey) -> bool {
        let till = terminal_number(&key.terminal);
        let book = self.books.get(&(till, key.batch));
        book.is_some_and(|book| book.named.contains_key(&key.stan))
    }

    /// Approved at this till since its last settlement, under whatever number of the batch.
    fn unsettled(&self, till: u8) -> impl Iterator<Item = &Sale> {
        let approved = |sale: &&Sale| sale.end == Some(End::Approved) && !sale.settled;
        let counts = |sale: &&Sale| sale.kind.row().totals != BatchSide::Neither;
        let own = move |sale: &&Sale| sale.terminal == till;
        self.sales
            .iter()
            .filter(own)
            .filter(approved)
            .filter(counts)
    }
}

/// Totals of these transactions, by the judge's own arithmetic.
fn totals<'a>(sales: impl Iterator<Item = &'a Sale>) -> BatchTotals {
    let mut totals = BatchTotals::default();
    for sale in sales {
        let block = match is_foreign(sale.card) {
            true => &mut totals.foreign,
            false => &mut totals.domestic,
        };
        match sale.kind.row().totals {
            BatchSide::Neither => {}
            BatchSide::Debit => {
                block.debits += 1;
                block.debits_minor += sale.minor;
            }
            BatchSide::Credit => {
                block.credits += 1;
                block.credits_minor += sale.minor;
            }
            BatchSide::Adjust => {
                block.debits_minor = block.debits_minor.wrapping_add_signed(sale.due);
            }
        }
    }
    totals
}

fn block(totals: &BatchTotals, foreign: bool) -> BlockTotals {
    match foreign {
        true => totals.foreign,
        false => totals.domestic,
    }
}

impl Core {
    /// What a till's record says of its batch.
    pub fn till_book(&mut self, till: u8, record: &terminal::Record) {
        match record {
            terminal::Record::Asked {
                request:
                    Request::Settle {
                        origin,
                        totals: said,
                        ..
                    },
                ..
            } => {
                let own = totals(self.oracle.unsettled(till));
                if own != *said {
                    let batch = origin.batch;
                    self.violate("M7", || {
                        format!(
                            "till {till}, batch {batch}: it counts {said:?}, approved were {own:?}"
                        )
                    });
                }
            }
            terminal::Record::Asked {
                request: Request::Upload { .. },
                ..
            } => {
                self.oracle.uploading.insert(till);
                self.mark(Mark::Uploaded);
            }
            terminal::Record::SignedOn { batch, .. } => {
                self.oracle.open_batches[usize::from(till)] = Some(*batch);
            }
            terminal::Record::SettleAsked { .. } => {
                self.oracle.settling.insert(till);
            }
            terminal::Record::BatchClosed { .. } => {
                self.mark(Mark::BatchSettled);
                if let Some(batch) = self.oracle.compared.get(&till).copied() {
                    self.judge_chips(till, batch);
                }
                let own = self.oracle.sales.iter_mut();
                let own = own.filter(|sale| sale.terminal == till && sale.key.is_some());
                own.for_each(|sale| sale.settled = true);
                self.oracle.settling.remove(&till);
                self.oracle.uploading.remove(&till);
            }
            terminal::Record::SettleRefused { .. } => {
                self.oracle.settling.remove(&till);
                self.oracle.uploading.remove(&till);
            }
            terminal::Record::SettleAgain { anew: true, .. } => self.upload_anew(till),
            terminal::Record::TakenBack { sale, .. } => self.taken_back(sale),
            terminal::Record::CashTaken { cash } => self.cash_taken(till, cash),
            _ => {}
        }
    }

    /// What an acquirer's record says of a batch.
    pub fn acquirer_book(&mut self, record: &acquirer::Record) {
        use acquirer::Record;
        match record {
            Record::Compared {
                terminal,
                batch,
                claimed,
                own,
                ..
            } => {
                self.compared(terminal_number(terminal), *batch, claimed, own);
            }
            Record::Uploaded { terminal, records } => {
                let till = terminal_number(terminal);
                let Some(batch) = self.oracle.compared.get(&till).copied() else {
                    return self.violate("M7", || {
                        format!("till {till}: an upload, and nothing was compared")
                    });
                };
                let book = self.oracle.books.entry((till, batch)).or_default();
                let new = records.iter().map(|one| {
                    let foreign = payment::batch::is_foreign(&one.card);
                    (one.stan, (one.card.token, one.amount_minor, foreign))
                });
                book.uploaded.extend(new);
            }
            Record::UploadAnew { terminal } => {
                let till = terminal_number(terminal);
                if let Some(batch) = self.oracle.compared.get(&till).copied() {
                    let book = self.book(till, batch);
                    book.uploaded.clear();
                    book.chips.clear();
                }
            }
            Record::ChipUploaded { key, .. } => self.chip_uploaded(key),
            Record::BatchBreak { key, found, .. } => {
                let till = terminal_number(&key.terminal);
                self.mark(Mark::BatchBreak);
                let book = self.oracle.books.entry((till, key.batch)).or_default();
                if book.named.insert(key.stan, *found).is_some() {
                    self.violate("M7", || format!("{key}: its break is named twice"));
                }
            }
            Record::BatchClosed {
                terminal,
                batch,
                breaks,
                ..
            } => {
                self.batch_closed(terminal_number(terminal), *batch, *breaks);
            }
            _ => {}
        }
    }

    /// The till sends every part of its upload once more.
    fn upload_anew(&mut self, till: u8) {
        if let Some(batch) = self.oracle.compared.get(&till).copied() {
            let book = self.book(till, batch);
            book.withheld.clear();
            book.made_up.clear();
        }
    }

    /// The till was told that its sale fell to what was paid in its place elsewhere.
    fn taken_back(&mut self, key: &SaleKey) {
        self.mark(Mark::TakenBack);
        let Some(number) = self.oracle.by_key(key) else {
            return;
        };
        let sale = self.sale(number);
        sale.end = Some(End::Reversed);
        if !sale.replaced || sale.stands() {
            self.violate("C2", || {
                format!("sale {number}: its till takes it back, and it stands")
            });
        }
    }

    fn compared(&mut self, till: u8, batch: Batch, claimed: &BatchTotals, own: &BatchTotals) {
        self.oracle.compared.insert(till, batch);
        let booked = totals(self.oracle.batch(till, batch).filter(|sale| sale.booked));
        if booked != *own {
            self.violate("M7", || {
                format!(
                    "till {till}, batch {batch}: the acquirer counts {own:?}, booked are {booked:?}"
                )
            });
        }
        let told = totals(self.oracle.unsettled(till));
        let garbled = self.oracle.garbled.contains(&till);
        let book = self.oracle.books.entry((till, batch)).or_default();
        book.compared = Some((*claimed, *own));
        let honest = !(garbled || book.miscounted);
        if claimed != own {
            self.mark(Mark::BatchUneven);
        }
        if honest && told != *claimed {
            self.violate("M7", || {
                format!("till {till}, batch {batch}: it claims {claimed:?}, approved were {told:?}")
            });
        }
    }

    /// The totals agree, or every transaction over which they differ has a break of its own; and no other has.
    fn batch_closed(&mut self, till: u8, batch: Batch, breaks: u32) {
        let oracle = &self.oracle;
        let Some(book) = oracle.books.get(&(till, batch)).cloned() else {
            return self.violate("M7", || {
                format!("till {till}, batch {batch}: closed, and nothing was compared")
            });
        };
        let due = expected(&book, oracle.batch(till, batch));
        // What fell to a linked charge after the totals were compared is named by the notice that its till is owed.
        let noticed = |sale: &Sale| sale.replaced && !sale.booked;
        let one_sided =
            |sale: &&Sale| (sale.end == Some(End::Approved)) != sale.booked && !noticed(sale);
        let differing = oracle.batch(till, batch).filter(one_sided);
        let stans: Vec<Stan> = differing.filter_map(|sale| Some(sale.key?.stan)).collect();
        let unnamed = stans.iter().find(|stan| !book.named.contains_key(stan));
        let honest = !(oracle.garbled.contains(&till) || book.miscounted);
        if book.named != due || breaks as usize != due.len() {
            let named = book.named;
            self.violate("M7", || {
                format!("till {till}, batch {batch}: {breaks} breaks, {named:?} are named, due are {due:?}")
            });
        } else if let (Some(stan), true) = (unnamed, honest) {
            self.violate("M7", || {
                format!(
                    "till {till}, batch {batch}: {stan} is on one side only, and no break names it"
                )
            });
        }
    }

    /// A till that is not in order: what it sends of its batch is not what it has written down.
    pub fn miscount(&mut self, till: u8, sealed: &mut Sealed) {
        let place = u32::from(till);
        match &mut sealed.request {
            Request::Settle { origin, totals, .. } => {
                let attempt = origin.stan.map_or(0, |stan| stan.0);
                if let Some(draw) = self.fires(Fault::Miscount, TOTALS + place, attempt) {
                    self.book(till, origin.batch).miscounted = true;
                    match draw % 4 {
                        0 => totals.domestic.debits += 1,
                        1 => totals.domestic.debits_minor += 7,
                        2 => totals.foreign.credits += 1,
                        _ => totals.foreign.debits_minor += 7,
                    }
                }
            }
            Request::Upload { origin, part, .. } => match part {
                UploadPart::Sales(count) => {
                    let records = &mut sealed.secrets.uploaded;
                    self.miscount_records(till, origin.batch, records);
                    *count = records.len() as u8;
                }
                UploadPart::Advice(sale) => {
                    if self
                        .fires(Fault::Miscount, RECORDS + place, sale.key.stan.0)
                        .is_some()
                    {
                        self.book(till, origin.batch).miscounted = true;
                        sale.amount.minor += 7;
                    }
                }
                // What a chip signed cannot be changed here without breaking its cryptogram.
                UploadPart::Chip(_) => {}
                UploadPart::End { records, .. } => {
                    let book = self.book(till, origin.batch);
                    let (less, more) = (book.withheld.len(), book.made_up.len());
                    *records = records.saturating_sub(less as u16) + more as u16;
                }
            },
            _ => {}
        }
    }

    fn miscount_records(&mut self, till: u8, batch: Batch, records: &mut Vec<Uploaded>) {
        for one in records.clone() {
            let draw = self.fires(Fault::Miscount, RECORDS + u32::from(till), one.stan.0);
            let room = (1..RECORDS_MAX).contains(&records.len());
            let lone = records.len() == 1;
            let book = self.book(till, batch);
            book.withheld.remove(&one.stan);
            let Some(draw) = draw else { continue };
            book.miscounted = true;
            match draw % 3 {
                0 if !lone => {
                    book.withheld.insert(one.stan);
                    records.retain(|kept| kept.stan != one.stan);
                }
                1 if room => {
                    let stan = Stan(MADE_UP_FROM + one.stan.0 % MADE_UP_FROM / 2);
                    book.made_up.insert(stan);
                    records.push(Uploaded { stan, ..one });
                }
                _ => {
                    let own = records.iter_mut().filter(|kept| kept.stan == one.stan);
                    own.for_each(|kept| kept.amount_minor += 7);
                }
            }
        }
    }

    pub(super) fn book(&mut self, till: u8, batch: Batch) -> &mut Book {
        self.oracle.books.entry((till, batch)).or_default()
    }
}

/// The breaks that the acquirer must name: of the kinds of cards whose totals differ, what was uploaded against what is booked.
fn expected<'a>(book: &Book, sales: impl Iterator<Item = &'a Sale>) -> BTreeMap<Stan, Break> {
    let Some((claimed, own)) = &book.compared else {
        return BTreeMap::new();
    };
    let uneven = |foreign| block(claimed, foreign) != block(own, foreign);
    let booked = sales.filter(|sale| sale.booked && uneven(is_foreign(sale.card)));
    let mut left: BTreeMap<Stan, &Sale> = booked
        .filter_map(|sale| Some((sale.key?.stan, sale)))
        .collect();
    let mut breaks = BTreeMap::new();
    for (stan, (token, claimed_minor, foreign)) in &book.uploaded {
        let claimed_minor = *claimed_minor;
        let found = match left.remove(stan) {
            _ if !uneven(*foreign) => None,
            None => Some(Break::AcquirerHasNot { claimed_minor }),
            Some(sale) if sale.token != Some(*token) => Some(Break::CardsDiffer),
            Some(sale) if sale.minor != claimed_minor => Some(Break::AmountsDiffer {
                claimed_minor,
                own_minor: sale.minor,
            }),
            Some(_) => None,
        };
        breaks.extend(found.map(|found| (*stan, found)));
    }
    let missing = left.into_iter().map(|(stan, sale)| {
        let own_minor = sale.minor;
        (stan, Break::TerminalHasNot { own_minor })
    });
    breaks.extend(missing);
    breaks
}
