//! Transaction kinds: one file each, one list line each; everything that differs between kinds is in its row.

use crate::download::{Download, Step};
use crate::original::OriginalRule;
use crate::{CNY, Currency};
use iso8583::Mti;
use serde::{Deserialize, Serialize};

pub use crate::original::Reach;

/// Makes the enum, the list and the look-up from one line per kind, so that a new kind is a file and a line.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $file:ident,)*) => {
        $(mod $file;)*

        /// A transaction kind. Journals name kinds by their place: new lines go to the end.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            /// Every kind; tests walk this list and name what is missing.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The row.
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$name => &$file::ROW,)*
                }
            }
        }
    };
}

kinds! {
    /// 消费.
    Purchase = purchase,
    /// 消费撤销.
    Void = void,
    /// 退货.
    Refund = refund,
    /// 预授权.
    PreAuth = pre_auth,
    /// 追加预授权.
    IncrementalAuth = incremental_auth,
    /// 预授权撤销.
    PreAuthVoid = pre_auth_void,
    /// 预授权完成（请求）.
    Completion = completion,
    /// 预授权完成（通知）.
    CompletionAdvice = completion_advice,
    /// 预授权完成撤销.
    CompletionVoid = completion_void,
    /// 离线结算.
    OfflineSale = offline_sale,
    /// 结算调整.
    Adjustment = adjustment,
    /// 小费.
    TipAdjustment = tip_adjustment,
    /// 余额查询.
    BalanceInquiry = balance_inquiry,
    /// 签到.
    SignOn = sign_on,
    /// 签退.
    SignOff = sign_off,
    /// 回响测试.
    Echo = echo,
    /// 冲正.
    Reversal = reversal,
    /// 结果查询.
    ResultQuery = result_query,
    /// 空闲报告.
    IdleReport = idle_report,
    /// 批结算.
    Settlement = settlement,
    /// 批上送.
    BatchUpload = batch_upload,
    /// 扫码消费（被扫）.
    WalletSale = wallet_sale,
    /// 扫码消费（主扫）.
    WalletOrder = wallet_order,
    /// 扫码退货.
    WalletRefund = wallet_refund,
    /// 脚本处理结果.
    ScriptResult = script_result,
    /// 现金关联.
    CashLink = cash_link,
    /// 转账.
    Transfer = transfer,
    /// 转账转出.
    TransferOut = transfer_out,
    /// 转账转入.
    TransferIn = transfer_in,
    /// 易货.
    BarterSale = barter_sale,
    /// 易货交割.
    BarterDelivery = barter_delivery,
    /// 易货退回.
    BarterReturn = barter_return,
    /// 订购消费.
    MotoPurchase = moto_purchase,
    /// 参数下载.
    ParameterDownload = parameter_download,
    /// 参数下载结束.
    ParameterEnd = parameter_end,
    /// 公钥查询.
    KeyList = key_list,
    /// 公钥下载.
    KeyDownload = key_download,
    /// 公钥下载结束.
    KeyEnd = key_end,
    /// IC 卡参数查询.
    AidList = aid_list,
    /// IC 卡参数下载.
    AidDownload = aid_download,
    /// IC 卡参数下载结束.
    AidEnd = aid_end,
}

/// Who decides about a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rail {
    /// The issuer, over the network.
    Card,
    /// A wallet's provider: it never goes to the network.
    Wallet,
}

/// How a kind travels, and what its silence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Answered while the cardholder waits. When it posts, silence is answered by result query, then reversal.
    Online,
    /// Kept and delivered until it is answered; the cashier is told the answer. Never reversed.
    Advice,
    /// As an advice, and the cashier is told at once that it is done.
    Stored,
    /// Between terminal and acquirer alone.
    Management,
    /// Withdraws an online transaction.
    Reversal,
    /// Asks what became of one.
    Query,
    /// Tells what became of one.
    Report,
    /// Compares and closes a batch, between terminal and acquirer alone.
    Batch,
    /// A step in which a terminal fetches something from its acquirer. It has no trace number.
    Download(Download, Step),
}

/// What an approval does to the cardholder's money; its reversal does the opposite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posting {
    /// Nothing.
    None,
    /// Debits the amount: the merchant is owed it.
    Debit,
    /// Credits a part of an earlier debit.
    Credit,
    /// Credits the whole of an earlier debit, which is then void.
    Undo,
    /// Holds the amount.
    Hold,
    /// Holds the amount on top of an earlier hold.
    HoldMore,
    /// Releases all of an earlier hold.
    Release,
    /// Releases an earlier hold and debits the amount.
    Capture,
    /// Credits the amount of a capture; the hold stands again.
    Uncapture,
    /// Sets the amount of an earlier debit: the difference is debited or credited.
    Adjust,
    /// Moves the amount from the card to the one that receives it.
    Move,
    /// Debits the amount for a card of another issuer.
    MoveOut,
    /// Credits the amount that a card of another issuer gave.
    MoveIn,
}

/// When the issuer demands a PIN of a card that has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinRule {
    /// Always.
    Always,
    /// Above the amount that needs none.
    AboveLimit,
    /// Never: an earlier transaction was verified, or nobody is there to ask.
    Never,
}

/// Where a kind counts in the totals of a batch (UnionPay-style reference §3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchSide {
    /// Nowhere.
    Neither,
    /// Among the debits: the merchant is owed it.
    Debit,
    /// Among the credits: the merchant gives it back.
    Credit,
    /// Changes the amount of its original where that counts.
    Adjust,
}

/// Everything in which one kind differs from another.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The kind.
    pub kind: Kind,
    /// Name in zh-CN.
    pub zh: &'static str,
    /// Name in English.
    pub en: &'static str,
    /// Message type, at both interfaces where it goes to the network.
    pub mti: Mti,
    /// Field 3 at the terminal interface, where it is carried.
    pub processing: Option<u32>,
    /// Field 3 between hosts; none for what ends at the acquirer.
    pub processing_host: Option<u32>,
    /// Field 25.
    pub condition: Option<u8>,
    /// Field 60.1.
    pub transaction_type: u8,
    /// Field 60.3.
    pub network_code: u16,
    /// Field 22 begins with 03: a code was scanned. None where either may be.
    pub scanned: Option<bool>,
    /// Who decides about it.
    pub rail: Rail,
    /// How it travels.
    pub flow: Flow,
    /// What an approval does.
    pub posting: Posting,
    /// When a PIN is demanded.
    pub pin: PinRule,
    /// The number is typed: nobody presents a card (field 22 begins with 01).
    pub keyed: bool,
    /// Another card receives the amount: tag TO of field 59 at the terminal interface, field 103 between hosts.
    pub receiver: bool,
    /// In what its amounts are: no other currency is served.
    pub unit: Currency,
    /// What earlier transaction it needs.
    pub original: Option<OriginalRule>,
    /// The kind that takes it back in full before settlement.
    pub void: Option<Kind>,
    /// The kind that gives it back, also in parts.
    pub refund: Option<Kind>,
    /// Where it counts in the totals of a batch.
    pub totals: BatchSide,
    /// Its bit in the transaction switches that a terminal downloads (reference §3.9, tag 26); 0 for what has none.
    pub switch: u8,
    /// Field 64 is carried.
    pub mac: bool,
    /// One sentence for the generated page.
    pub about: &'static str,
}

impl Row {
    /// What most kinds have in common; each file says where it differs.
    const BASE: Self = Self {
        kind: Kind::Purchase,
        zh: "",
        en: "",
        mti: Mti(0),
        processing: None,
        processing_host: None,
        condition: None,
        transaction_type: 0,
        network_code: 0,
        scanned: None,
        rail: Rail::Card,
        flow: Flow::Online,
        posting: Posting::None,
        pin: PinRule::Never,
        keyed: false,
        receiver: false,
        unit: CNY,
        original: None,
        void: None,
        refund: None,
        totals: BatchSide::Neither,
        switch: 0,
        mac: true,
        about: "",
    };

    /// An approval makes the cardholder owe the amount at once: such a charge must not be made twice by mistake.
    pub const fn charges(&self) -> bool {
        matches!(self.flow, Flow::Online)
            && matches!(self.posting, Posting::Debit | Posting::Hold | Posting::Move)
    }

    /// An approval changes what the cardholder can spend.
    pub const fn moves_money(&self) -> bool {
        !matches!(self.posting, Posting::None)
    }

    /// Silence is answered with a reversal (UnionPay-style reference §4.2).
    pub const fn reversible(&self) -> bool {
        matches!(self.flow, Flow::Online) && self.moves_money()
    }

    /// Repeated until it is answered, and never reversed.
    pub const fn is_advice(&self) -> bool {
        matches!(self.flow, Flow::Advice | Flow::Stored)
    }

    /// Its messages have a trace number, field 11.
    pub const fn is_numbered(&self) -> bool {
        !matches!(
            (self.kind, self.flow),
            (Kind::Echo, _) | (_, Flow::Download(..))
        )
    }

    /// It is about a card and an amount, and goes to the issuer.
    pub const fn is_financial(&self) -> bool {
        self.processing_host.is_some()
    }

    /// The network's own: one leg of what a terminal asked for, unknown at the terminal interface.
    pub const fn is_leg(&self) -> bool {
        self.is_financial() && self.processing.is_none()
    }
}

/// The fields of a request by which its kind is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes {
    /// Field 3.
    pub processing: Option<u32>,
    /// Field 25.
    pub condition: Option<u8>,
    /// Field 60.1.
    pub transaction_type: u8,
    /// Field 60.3.
    pub network_code: u16,
    /// Field 22 begins with 03.
    pub scanned: bool,
}

impl Kind {
    /// The kinds that a transaction of this kind can be about: those whose rows name it as their void or refund, and those
    /// that its own rule lists.
    pub fn originals(self) -> impl Iterator<Item = Self> {
        let all = Self::ALL.iter().copied();
        all.filter(move |original| self.may_be_about(*original))
    }

    /// A transaction of this kind can be about one of `original`.
    pub fn may_be_about(self, original: Self) -> bool {
        let row = original.row();
        let named = [row.void, row.refund].contains(&Some(self));
        let rule = self.row().original;
        rule.is_some_and(|rule| named || rule.kinds.contains(&original))
    }

    /// The kind of a request at the terminal interface.
    pub fn of_request(mti: Mti, codes: &Codes) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| {
            let row = kind.row();
            row.mti == mti
                && !row.is_leg()
                && match row.flow {
                    // A reversal repeats the codes of its original.
                    Flow::Reversal => true,
                    // An upload repeats the codes of what it uploads, or names its part.
                    Flow::Batch if *kind == Self::BatchUpload => true,
                    // Sign-on varies in its key scheme.
                    Flow::Management if *kind == Self::SignOn => {
                        codes.transaction_type == 0 && (1..=6).contains(&codes.network_code)
                    }
                    // Some terminals fetch their parameters under another code (reference §10.1).
                    Flow::Download(Download::Parameters, Step::Take) => {
                        codes.transaction_type == 0 && matches!(codes.network_code, 360 | 364)
                    }
                    _ => row.has(codes),
                }
        })
    }

    /// The kind that a reversal with these codes withdraws.
    pub fn of_reversal(codes: &Codes) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| {
            let row = kind.row();
            row.reversible() && !row.is_leg() && row.has(codes)
        })
    }

    /// The kind of a financial request between hosts, by message type, field 3 and field 25.
    pub fn of_host(mti: Mti, processing: u32, condition: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| {
            let row = kind.row();
            (row.mti, row.processing_host, row.condition)
                == (mti, Some(processing), Some(condition))
        })
    }
}

impl Row {
    fn has(&self, codes: &Codes) -> bool {
        // A missing condition code reads as 00, normal presentation.
        let condition = self.condition.map(|_| codes.condition.unwrap_or(0));
        self.processing == codes.processing
            && self.condition == condition
            && self.transaction_type == codes.transaction_type
            && self.network_code == codes.network_code
            && self.scanned.is_none_or(|scanned| scanned == codes.scanned)
    }

    /// The codes of a request of this kind.
    pub const fn codes(&self) -> Codes {
        Codes {
            processing: self.processing,
            condition: self.condition,
            transaction_type: self.transaction_type,
            network_code: self.network_code,
            scanned: matches!(self.scanned, Some(true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_row_and_is_found_again() {
        for kind in Kind::ALL.iter().copied() {
            let row = kind.row();
            assert_eq!(row.kind, kind);
            assert!(!row.zh.is_empty() && !row.en.is_empty() && row.about.ends_with('.'));
            let at_terminals = (!row.is_leg()).then_some(kind);
            assert_eq!(
                Kind::of_request(row.mti, &row.codes()),
                at_terminals,
                "{kind:?}"
            );
            if row.is_leg() {
                assert_eq!(Kind::of_reversal(&row.codes()), None, "{kind:?}");
            } else if row.reversible() {
                assert_eq!(Kind::of_reversal(&row.codes()), Some(kind), "{kind:?}");
            }
            if let (Some(processing), Some(condition)) = (row.processing_host, row.condition) {
                assert_eq!(Kind::of_host(row.mti, processing, condition), Some(kind));
            }
            let decided = row.is_financial() || row.rail == Rail::Wallet;
            assert_eq!(decided && !row.is_leg(), row.processing.is_some());
            for (back, posting) in [(row.void, row.posting), (row.refund, row.posting)] {
                let Some(rule) = back.map(|back| back.row().original) else {
                    continue;
                };
                assert!(posting != Posting::None);
                assert!(rule.is_some(), "{kind:?}");
            }
            if let Some(rule) = row.original {
                assert!(kind.originals().next().is_some(), "{kind:?}");
                // What is said in two places could be forgotten in one.
                let twice = |original: &Kind| {
                    [original.row().void, original.row().refund].contains(&Some(kind))
                };
                assert!(!rule.kinds.iter().any(twice), "{kind:?}");
            }
        }
    }
}
