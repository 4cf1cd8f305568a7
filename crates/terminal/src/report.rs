//! The settlement slip and the shift slip: what they say, drawn from the journal of the batch and the counts of the shift.
//!
//! Nothing that is pending is hidden from the shift slip, and closing a shift loses none of it (N26).

use crate::command::show;
use crate::record::Record;
use crate::slip::slip_id;
use crate::state::{Completed, Phase};
use crate::{Decided, Screen, State, Terminal};
use payment::batch::{BlockCodes, Reconciled, is_foreign};
use payment::kind::BatchSide;
use payment::terminal::Sale;
use payment::{Batch, Kind, Now, Stan};
use receipt::{
    CardKindTotals, PendingItem, Reconciled as Verdict, Report, SettlementFields, ShiftFields,
    SpoolInput, Sum,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Shift slips have numbers of their own, by the second in which the shift was closed.
const SHIFT_SLIP: u64 = 1 << 49;

/// What a cashier took since the last shift was closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// Its first transaction.
    pub since: Option<Now>,
    /// Count and sum in minor units by kind; an adjustment changes the sum of what it adjusts.
    pub taken: BTreeMap<Kind, (u32, u64)>,
    /// Count and sum in minor units of the cash.
    pub cash: (u32, u64),
}

/// Something without a final result when a shift is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// An open sale.
    Sale(Sale, Now),
    /// A reversal that was not delivered yet.
    Reversal(Sale, Now),
    /// An advice that was not answered yet.
    Advice(Sale, Now),
    /// A settlement that was not finished.
    Settlement(Batch, Now),
}

impl Terminal {
    /// Prints what the shift took and everything that is pending, and starts the next one. Refused only while this
    /// cashier owes an answer that nobody else can give.
    pub(crate) fn close_shift(&self, now: Now, decided: &mut Decided) {
        if let Some(open) = &self.state.open
            && matches!(open.phase, Phase::Question { .. })
        {
            return show(Screen::AskGoods(open.sale.key), decided);
        }
        let fields = self.shift_fields(now);
        let pending = fields.pending.len() as u32;
        let slip_id = SHIFT_SLIP + now.wall.0.unsigned_abs() / 1_000;
        // The slip first: a restart in between prints another one, and loses nothing.
        self.submit_report(now, slip_id, Report::Shift(fields), decided);
        decided.record(Record::ShiftClosed { at: now });
        show(Screen::ShiftClosed { pending }, decided);
    }

    pub(crate) fn print_settlement(
        &self,
        now: Now,
        batch: Batch,
        codes: BlockCodes,
        decided: &mut Decided,
    ) {
        let config = &self.config;
        let kind = |zh: &str, en: &str, foreign, code| CardKindTotals {
            name: (zh.to_owned(), en.to_owned()),
            reconciled: match code {
                Reconciled::Balanced => Verdict::Balanced,
                Reconciled::Unbalanced => Verdict::Unbalanced,
                Reconciled::Failed => Verdict::Failed,
            },
            sums: sums(&self.state.batch_sums(foreign)),
        };
        let fields = SettlementFields {
            merchant_name: config.merchant_name.clone(),
            merchant_id: config.merchant.to_string(),
            terminal_id: config.terminal.to_string(),
            operator: config.operator.clone(),
            batch: batch.0,
            date_time: now.wall.text(),
            card_kinds: vec![
                kind("内卡", "DOMESTIC CARDS", false, codes.domestic),
                kind("外卡", "FOREIGN CARDS", true, codes.foreign),
            ],
            training: false,
        };
        // No sale has trace number 0.
        let id = slip_id(batch, Stan(0));
        self.submit_report(now, id, Report::Settlement(fields), decided);
    }

    fn submit_report(&self, now: Now, slip_id: u64, report: Report, decided: &mut Decided) {
        if self.config.prints {
            let submit = SpoolInput::SubmitReport {
                slip_id,
                report,
                language: self.config.language,
                paper: self.config.paper,
            };
            self.printer(now, [submit], decided);
        }
    }

    fn shift_fields(&self, now: Now) -> ShiftFields {
        let (config, state) = (&self.config, &self.state);
        let pending = state.pending().into_iter().map(|item| item.words());
        let slips = state.spool.unprinted().map(|(slip, _, job)| PendingItem {
            voucher: slip.voucher,
            date_time: slip.date_time,
            amount_minor: slip.amount_minor,
            state: if job.asks() {
                item_words("凭条待查看", "LOOK AT THE SLIP")
            } else {
                item_words("凭条未打印", "SLIP NOT PRINTED")
            },
        });
        ShiftFields {
            merchant_name: config.merchant_name.clone(),
            terminal_id: config.terminal.to_string(),
            cashier: config.operator.clone(),
            from: state.shift.since.unwrap_or(now).wall.text(),
            to: now.wall.text(),
            sums: shift_sums(&state.shift),
            pending: pending.chain(slips).collect(),
            pending_more: 0,
            training: false,
        }
    }
}

impl Pending {
    /// How the shift slip names it.
    pub fn words(&self) -> PendingItem {
        let (sale, at, zh, en) = match self {
            Self::Sale(sale, at) => (Some(sale), at, "结果未知，正在查询", "RESULT UNKNOWN"),
            Self::Reversal(sale, at) => (Some(sale), at, "冲正未送达", "REVERSAL NOT DELIVERED"),
            Self::Advice(sale, at) => (Some(sale), at, "通知未送达", "ADVICE NOT DELIVERED"),
            Self::Settlement(_, at) => (None, at, "批结算未完成", "SETTLEMENT NOT DONE"),
        };
        PendingItem {
            voucher: sale.map_or(0, |sale| sale.key.stan.0),
            date_time: at.wall.text(),
            amount_minor: sale.map_or(0, |sale| sale.amount.minor),
            state: item_words(zh, en),
        }
    }
}

impl State {
    /// Everything without a final result, in the order in which it will be settled.
    pub fn pending(&self) -> Vec<Pending> {
        let reversal = self.reversal.iter();
        let reversal = reversal.map(|r| Pending::Reversal(r.sale, r.started));
        let open = self.open.iter();
        let open = open.map(|open| Pending::Sale(open.sale, open.started));
        let advices = self.advices.iter();
        let advices = advices.map(|advice| Pending::Advice(advice.sale, advice.stored));
        let settling = self.settling.iter();
        let settling = settling.map(|s| Pending::Settlement(s.batch, s.asked));
        reversal
            .chain(open)
            .chain(advices)
            .chain(settling)
            .collect()
    }

    /// Counts and sums of the open batch by kind, of one kind of card.
    fn batch_sums(&self, foreign: bool) -> BTreeMap<Kind, (u32, u64)> {
        let mut sums = BTreeMap::new();
        let of = |c: &&Completed| is_foreign(&c.sale.card) == foreign;
        for completed in self.batch_journal().filter(of) {
            if completed.sale.kind.row().totals != BatchSide::Adjust {
                let (count, minor): &mut (u32, u64) = sums.entry(completed.sale.kind).or_default();
                *count += 1;
                *minor = minor.saturating_add(self.standing_amount(completed).minor);
            }
        }
        sums
    }

    /// Counts an approval for the cashier of this shift; `before` is what an adjusted transaction stood for.
    pub(crate) fn count_shift(&mut self, sale: &Sale, minor: u64, before: Option<(Kind, u64)>) {
        let taken = &mut self.shift.taken;
        match (sale.kind.row().totals, before) {
            (BatchSide::Neither, _) => {}
            (BatchSide::Adjust, Some((kind, before))) => {
                let (_, sum) = taken.entry(kind).or_default();
                *sum = (*sum + minor).saturating_sub(before);
            }
            (BatchSide::Adjust, None) => {}
            (BatchSide::Debit | BatchSide::Credit, _) => {
                let (count, sum) = taken.entry(sale.kind).or_default();
                *count += 1;
                *sum = sum.saturating_add(minor);
            }
        }
    }
}

/// What went over cards and wallets, then the cash, if there was any.
fn shift_sums(shift: &Shift) -> Vec<Sum> {
    let (count, amount_minor) = shift.cash;
    let cash = (count > 0).then(|| Sum {
        transaction: item_words("现金收款", "CASH"),
        credit: false,
        count,
        amount_minor,
    });
    sums(&shift.taken).into_iter().chain(cash).collect()
}

fn sums(taken: &BTreeMap<Kind, (u32, u64)>) -> Vec<Sum> {
    let sum = |(kind, (count, amount_minor)): (&Kind, &(u32, u64))| {
        let row = kind.row();
        Sum {
            transaction: item_words(row.zh, row.en),
            credit: row.totals == BatchSide::Credit,
            count: *count,
            amount_minor: *amount_minor,
        }
    };
    taken.iter().map(sum).collect()
}

fn item_words(zh: &str, en: &str) -> receipt::Words {
    (zh.to_owned(), en.to_owned())
}
