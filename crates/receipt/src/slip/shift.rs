//! The shift slip 交接班单: what a cashier took and what is still open when the next one comes.
//!
//! Nothing that is pending is hidden: each item is listed, and what is too much is counted.

use super::fields::bound;
use super::settlement::{Sum, bound_sums};
use super::sheet::{Sheet, yuan};
use super::{Align, Language, Paper, Reprint, Row, Size, Slip, Title, Wording, Words};
use serde::{Deserialize, Serialize};

/// Most pending items that are listed one by one.
pub const PENDING_MAX: usize = 100;

/// Everything a shift slip says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftFields {
    /// 商户名称.
    pub merchant_name: String,
    /// 终端编号, field 41.
    pub terminal_id: String,
    /// 收银员.
    pub cashier: String,
    /// 开始时间: `2026-11-22 08:00:00`.
    pub from: String,
    /// 结束时间: `2026-11-22 16:00:00`.
    pub to: String,
    /// One for each transaction type.
    pub sums: Vec<Sum>,
    /// What has no final result yet, each with its state.
    pub pending: Vec<PendingItem>,
    /// Pending items beyond [`PENDING_MAX`], counted and not listed.
    pub pending_more: u32,
    /// A training shift: the slip says that it is not valid.
    pub training: bool,
}

/// A payment without a final result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingItem {
    /// 凭证号, field 11.
    pub voucher: u32,
    /// Since when: `2026-11-22 15:58:03`.
    pub date_time: String,
    /// 金额 in fen.
    pub amount_minor: u64,
    /// What it waits for, such as 冲正未送达.
    pub state: Words,
}

impl ShiftFields {
    /// The same fields fit to be stored: every text and list bounded, and what is not listed counted.
    pub fn bounded(mut self) -> Self {
        let more = self.pending.len().saturating_sub(PENDING_MAX) as u32;
        self.pending_more = self.pending_more.saturating_add(more);
        self.pending.truncate(PENDING_MAX);
        for item in &mut self.pending {
            bound([&mut item.date_time, &mut item.state.0, &mut item.state.1]);
        }
        bound_sums(&mut self.sums);
        bound([
            &mut self.merchant_name,
            &mut self.terminal_id,
            &mut self.cashier,
            &mut self.from,
            &mut self.to,
        ]);
        self
    }
}

/// Lays out a shift slip; `reprint` is `None` for the one original.
pub fn lay_out_shift(
    fields: &ShiftFields,
    language: Language,
    paper: Paper,
    reprint: Option<Reprint>,
) -> Slip {
    let mut sheet = Sheet::new(language, paper);
    sheet.reprint(reprint.as_ref());
    let (zh, en) = Title::Shift.words();
    sheet.title(zh, en);
    if fields.training {
        sheet.training();
    }
    sheet.rule();
    sheet.pair("商户名称", "MERCHANT NAME", &fields.merchant_name);
    sheet.pair("终端编号", "TERMINAL NO", &fields.terminal_id);
    sheet.pair("收银员", "CASHIER", &fields.cashier);
    sheet.pair("开始时间", "FROM", &fields.from);
    sheet.pair("结束时间", "TO", &fields.to);
    sheet.rule();
    sheet.sums(&fields.sums);
    sheet.rule();
    pending(&mut sheet, &fields.pending, fields.pending_more);
    sheet.rule();
    sheet.signature_line("交班人签字", "HANDED OVER BY");
    sheet.signature_line("接班人签字", "TAKEN OVER BY");
    if fields.training {
        sheet.training();
    }
    sheet.slip()
}

fn pending(sheet: &mut Sheet, items: &[PendingItem], more: u32) {
    let count = items.len() + more as usize;
    let heading = sheet.say(&format!("待处理 {count} 笔"), &format!("PENDING: {count}"));
    sheet.text(heading, Align::Left, Size::Normal, true);
    if items.is_empty() {
        return;
    }
    let mut rows = vec![vec![
        sheet.say("凭证号", "VOUCHER"),
        sheet.say("金额", "AMOUNT"),
    ]];
    for item in items.iter().take(PENDING_MAX) {
        rows.push(vec![
            Wording::One(format!("{:06}", item.voucher)),
            Wording::One(yuan(item.amount_minor.into())),
        ]);
        rows.push(vec![
            sheet.say(&item.date_time, &item.date_time),
            sheet.words(&item.state),
        ]);
    }
    sheet.push(Row::Table(rows));
    let more = count.saturating_sub(PENDING_MAX);
    if more > 0 {
        sheet.plain(
            &format!("另有 {more} 笔未列出"),
            &format!("AND {more} MORE"),
        );
    }
}
