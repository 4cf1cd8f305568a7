//! The settlement slip 结算单: what a batch holds, and whether the host counts the same.
//!
//! The totals are added up here from the sums that are drawn, so they cannot contradict each other
//! (UnionPay-style reference §7.6).

use super::fields::bound;
use super::sheet::{Sheet, yuan};
use super::{Align, Language, Paper, Reprint, Row, Size, Slip, Title, Wording, Words};
use serde::{Deserialize, Serialize};

/// Most transaction types in one table.
pub const SUMS_MAX: usize = 40;
/// Most kinds of cards that are reconciled each by itself.
pub const CARD_KINDS_MAX: usize = 4;

/// Everything a settlement slip says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementFields {
    /// 商户名称.
    pub merchant_name: String,
    /// 商户编号, field 42.
    pub merchant_id: String,
    /// 终端编号, field 41.
    pub terminal_id: String,
    /// 操作员号.
    pub operator: String,
    /// 批次号.
    pub batch: u32,
    /// 日期/时间: `2026-11-22 22:00:00`.
    pub date_time: String,
    /// 内卡, 外卡: each reconciled by itself.
    pub card_kinds: Vec<CardKindTotals>,
    /// A training batch: the slip says that it is not valid.
    pub training: bool,
}

/// The totals of one kind of cards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardKindTotals {
    /// 内卡 / 外卡.
    pub name: Words,
    /// What the host answered.
    pub reconciled: Reconciled,
    /// One for each transaction type.
    pub sums: Vec<Sum>,
}

/// How the host's totals compare with the terminal's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reconciled {
    /// 对账平.
    Balanced,
    /// 对账不平.
    Unbalanced,
    /// 出错: the host did not say.
    Failed,
}

impl Reconciled {
    /// zh-CN and en.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Reconciled::Balanced => ("对账平", "BALANCED"),
            Reconciled::Unbalanced => ("对账不平", "NOT BALANCED"),
            Reconciled::Failed => ("对账出错", "NOT RECONCILED"),
        }
    }
}

/// Count and sum of one transaction type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// 消费 SALE, 退货 REFUND, …
    pub transaction: Words,
    /// Whether the money goes back to the cardholder.
    pub credit: bool,
    /// 笔数.
    pub count: u32,
    /// 金额 in fen.
    pub amount_minor: u64,
}

impl SettlementFields {
    /// The same fields fit to be stored: every text and list bounded.
    pub fn bounded(mut self) -> Self {
        self.card_kinds.truncate(CARD_KINDS_MAX);
        for kind in &mut self.card_kinds {
            bound([&mut kind.name.0, &mut kind.name.1]);
            bound_sums(&mut kind.sums);
        }
        bound([
            &mut self.merchant_name,
            &mut self.merchant_id,
            &mut self.terminal_id,
            &mut self.operator,
            &mut self.date_time,
        ]);
        self
    }
}

/// Bounds a table of sums.
pub(super) fn bound_sums(sums: &mut Vec<Sum>) {
    sums.truncate(SUMS_MAX);
    for sum in sums {
        bound([&mut sum.transaction.0, &mut sum.transaction.1]);
    }
}

/// Lays out a settlement slip; `reprint` is `None` for the one original.
pub fn lay_out_settlement(
    fields: &SettlementFields,
    language: Language,
    paper: Paper,
    reprint: Option<Reprint>,
) -> Slip {
    let mut sheet = Sheet::new(language, paper);
    sheet.reprint(reprint.as_ref());
    let (zh, en) = Title::Settlement.words();
    sheet.title(zh, en);
    if fields.training {
        sheet.training();
    }
    sheet.rule();
    sheet.pair("商户名称", "MERCHANT NAME", &fields.merchant_name);
    sheet.pair("商户编号", "MERCHANT NO", &fields.merchant_id);
    sheet.pair("终端编号", "TERMINAL NO", &fields.terminal_id);
    sheet.pair("操作员号", "OPERATOR NO", &fields.operator);
    sheet.pair("批次号", "BATCH NO", &format!("{:06}", fields.batch));
    sheet.pair("日期/时间", "DATE/TIME", &fields.date_time);
    sheet.rule();
    for kind in &fields.card_kinds {
        let name = sheet.words(&kind.name);
        sheet.text(name, Align::Left, Size::Normal, true);
        sheet.sums(&kind.sums);
        let (zh, en) = kind.reconciled.words();
        let verdict = sheet.say(zh, en);
        sheet.text(verdict, Align::Centre, Size::Double, false);
        sheet.rule();
    }
    if fields.training {
        sheet.training();
    }
    sheet.slip()
}

impl Sheet {
    /// Sums as a table with the totals of both directions.
    pub(super) fn sums(&mut self, sums: &[Sum]) {
        let mut rows = vec![vec![
            self.say("类型", "TYPE"),
            self.say("笔数", "COUNT"),
            self.say("金额", "AMOUNT"),
        ]];
        let row = |name: Wording, count: u64, minor: u128| {
            vec![
                name,
                Wording::One(count.to_string()),
                Wording::One(yuan(minor)),
            ]
        };
        for sum in sums {
            let name = self.words(&sum.transaction);
            rows.push(row(name, sum.count.into(), sum.amount_minor.into()));
        }
        for (credit, zh, en) in [
            (false, "借记合计", "DEBIT TOTAL"),
            (true, "贷记合计", "CREDIT TOTAL"),
        ] {
            let same = || sums.iter().filter(|sum| sum.credit == credit);
            let count = same().map(|sum| u64::from(sum.count)).sum();
            let minor = same().map(|sum| u128::from(sum.amount_minor)).sum();
            let name = self.say(zh, en);
            rows.push(row(name, count, minor));
        }
        self.push(Row::Table(rows));
    }
}
