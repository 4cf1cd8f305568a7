//! The moments that a search must have seen: one with no hit in a long run is a hole in the search.

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the name in `Mark::name` says it
pub enum Mark {
    LateApproval,
    ReversalBeforeOriginal,
    RecoveredByQuery,
    TornTail,
    CrashInRecovery,
    PaperOutMidSlip,
    GoodsQuestion,
    GoodsHandedOver,
    OneSidedOpened,
    OneSidedConfirmedLater,
    Undelivered,
    Declined,
    NotSent,
    AcquirerReverses,
    TerminalReverses,
    NetworkGaveUp,
    ReversalRepeated,
    RequestRepeated,
    InterruptedByRestart,
    TerminalLostForGood,
    Withdrawn,
    Reprinted,
    KeysRenewed,
    FrameRefused,
    DayCut,
    StanWrapped,
    ReversedAfterApproval,
    HoldExpired,
    AdviceRepeated,
    AdviceDeferred,
    AdviceRefused,
    LaterOneReversed,
    RefusedAsDocumented,
    AdviceLost,
    AdviceAnswerLost,
    DiedWithAdvices,
    WalletAskLost,
    WalletAnswerLost,
    WalletRevokedPaid,
    WalletPaidAtClose,
    WalletOrderUndone,
    WalletAbsent,
    WalletRefundResisted,
    BatchSettled,
    BatchUneven,
    Uploaded,
    BatchBreak,
    BatchLost,
    DiedInUpload,
    CashTaken,
    CashInstead,
    LinkRefused,
    ChargeGuarded,
    ChargedInstead,
    Overridden,
    ShiftClosed,
    ShiftClosedPending,
    TransferSplit,
    CreditRefused,
    LegReversed,
    TakenBack,
    StaffAskedNow,
    StaffGaveBack,
    StaffInFlight,
}

impl Mark {
    /// Every mark.
    pub const ALL: [Self; 64] = [
        Self::LateApproval,
        Self::ReversalBeforeOriginal,
        Self::RecoveredByQuery,
        Self::TornTail,
        Self::CrashInRecovery,
        Self::PaperOutMidSlip,
        Self::GoodsQuestion,
        Self::GoodsHandedOver,
        Self::OneSidedOpened,
        Self::OneSidedConfirmedLater,
        Self::Undelivered,
        Self::Declined,
        Self::NotSent,
        Self::AcquirerReverses,
        Self::TerminalReverses,
        Self::NetworkGaveUp,
        Self::ReversalRepeated,
        Self::RequestRepeated,
        Self::InterruptedByRestart,
        Self::TerminalLostForGood,
        Self::Withdrawn,
        Self::Reprinted,
        Self::KeysRenewed,
        Self::FrameRefused,
        Self::DayCut,
        Self::StanWrapped,
        Self::ReversedAfterApproval,
        Self::HoldExpired,
        Self::AdviceRepeated,
        Self::AdviceDeferred,
        Self::AdviceRefused,
        Self::LaterOneReversed,
        Self::RefusedAsDocumented,
        Self::AdviceLost,
        Self::AdviceAnswerLost,
        Self::DiedWithAdvices,
        Self::WalletAskLost,
        Self::WalletAnswerLost,
        Self::WalletRevokedPaid,
        Self::WalletPaidAtClose,
        Self::WalletOrderUndone,
        Self::WalletAbsent,
        Self::WalletRefundResisted,
        Self::BatchSettled,
        Self::BatchUneven,
        Self::Uploaded,
        Self::BatchBreak,
        Self::BatchLost,
        Self::DiedInUpload,
        Self::CashTaken,
        Self::CashInstead,
        Self::LinkRefused,
        Self::ChargeGuarded,
        Self::ChargedInstead,
        Self::Overridden,
        Self::ShiftClosed,
        Self::ShiftClosedPending,
        Self::TransferSplit,
        Self::CreditRefused,
        Self::LegReversed,
        Self::TakenBack,
        Self::StaffAskedNow,
        Self::StaffGaveBack,
        Self::StaffInFlight,
    ];

    /// What it says in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LateApproval => "late approval after reversal",
            Self::ReversalBeforeOriginal => "reversal before original",
            Self::RecoveredByQuery => "recovered by query",
            Self::TornTail => "torn tail",
            Self::CrashInRecovery => "crash in recovery",
            Self::PaperOutMidSlip => "paper out mid-slip",
            Self::GoodsQuestion => "goods question asked",
            Self::GoodsHandedOver => "goods handed over before the approval",
            Self::OneSidedOpened => "one-sided item opened",
            Self::OneSidedConfirmedLater => "one-sided item confirmed later",
            Self::Undelivered => "answer not delivered",
            Self::Declined => "declined",
            Self::NotSent => "request never left",
            Self::AcquirerReverses => "acquirer reverses by itself",
            Self::TerminalReverses => "terminal reverses",
            Self::NetworkGaveUp => "network gave up",
            Self::ReversalRepeated => "reversal advice repeated",
            Self::RequestRepeated => "request repeated",
            Self::InterruptedByRestart => "acquirer restart in flight",
            Self::TerminalLostForGood => "terminal never returns",
            Self::Withdrawn => "withdrawn by the cashier",
            Self::Reprinted => "reprinted",
            Self::KeysRenewed => "terminal keys renewed",
            Self::FrameRefused => "frame refused",
            Self::DayCut => "two settlement dates in one world",
            Self::StanWrapped => "trace number went round",
            Self::ReversedAfterApproval => "approved upstream, then reversed",
            Self::HoldExpired => "hold ran out",
            Self::AdviceRepeated => "advice repeated by the till",
            Self::AdviceDeferred => "advice kept by the acquirer",
            Self::AdviceRefused => "advice told as done and refused",
            Self::LaterOneReversed => "transaction about an earlier one reversed",
            Self::RefusedAsDocumented => "wrong order refused as documented",
            Self::AdviceLost => "advice lost on its way",
            Self::AdviceAnswerLost => "answer to an advice lost",
            Self::DiedWithAdvices => "till died with stored advices",
            Self::WalletAskLost => "request to the wallet lost",
            Self::WalletAnswerLost => "answer of the wallet lost",
            Self::WalletRevokedPaid => "wallet revoked what was paid",
            Self::WalletPaidAtClose => "paid while the order was being closed",
            Self::WalletOrderUndone => "wallet order closed or revoked",
            Self::WalletAbsent => "order certain never to have reached the wallet",
            Self::WalletRefundResisted => "wallet refused a refund",
            Self::BatchSettled => "batch settled",
            Self::BatchUneven => "totals of a batch differ",
            Self::Uploaded => "batch uploaded",
            Self::BatchBreak => "break of a batch named",
            Self::BatchLost => "message of a settlement lost",
            Self::DiedInUpload => "till died while it uploaded",
            Self::CashTaken => "cash taken",
            Self::CashInstead => "cash taken in place of a card sale",
            Self::LinkRefused => "cash link refused",
            Self::ChargeGuarded => "charge refused as a repetition",
            Self::ChargedInstead => "charged anyway, linked",
            Self::Overridden => "own sale replaced by the supervisor",
            Self::ShiftClosed => "shift closed",
            Self::ShiftClosedPending => "shift closed with pending items",
            Self::TransferSplit => "transfer between two banks",
            Self::CreditRefused => "credit leg refused",
            Self::LegReversed => "leg of a transfer taken back",
            Self::TakenBack => "till told that its sale was replaced elsewhere",
            Self::StaffAskedNow => "staff asked again at once",
            Self::StaffGaveBack => "staff gave a sale back",
            Self::StaffInFlight => "staff at a sale that goes back already",
        }
    }
}

/// How often each was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks(pub [u64; Mark::ALL.len()]);

impl Default for Marks {
    fn default() -> Self {
        Self([0; Mark::ALL.len()])
    }
}

impl Marks {
    /// One more.
    pub fn hit(&mut self, mark: Mark) {
        self.0[mark as usize] += 1;
    }

    /// How often.
    pub fn count(&self, mark: Mark) -> u64 {
        self.0[mark as usize]
    }

    /// Adds another world's.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}
