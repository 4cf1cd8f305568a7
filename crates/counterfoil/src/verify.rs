//! Verification: everything is recomputed from the journals and whatever differs is named.
//!
//! It writes nothing beside the journals it reads. What is merely not over yet (in flight, reversing, unconfirmed, a case)
//! is listed as open and is no difference. Directories of stopped or idle parties give an exact answer; of busy ones, what
//! happened between two readings is kept apart by reading against the loop's direction: terminals first, issuers last.

mod compare;
mod loops;
mod party;

use crate::archive::ArchiveError;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Findings of one kind that are listed; the others are counted.
pub const LISTED_MAX: usize = 20;

/// What may be wrong, or open. The names in JSON are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// A journal does not read to its end, or its chain is broken.
    JournalDamaged,
    /// A record does not fit the state before it.
    RecordRefused,
    /// The books do not balance, or an account is overdrawn that may not be.
    Books,
    /// A snapshot is not the sum of the records before it.
    SnapshotDiffers,
    /// The archive does not read.
    ArchiveUnreadable,
    /// The archive says something else than the journal.
    ArchiveDiffers,
    /// A sale stands at the acquirer and is not in its books.
    PostingMissing,
    /// The acquirer's books hold a sale that does not stand.
    PostingLeft,
    /// The issuer's answer and its books disagree.
    ExchangeBooks,
    /// A transaction stands at the acquirer and the issuer has no movement for it: no debit, or no credit of a return.
    DebitMissing,
    /// The issuer moved it more than once.
    DebitDouble,
    /// The issuer moved another amount, or the other way.
    DebitAmount,
    /// The issuer moved money for a request that no given acquirer sent.
    DebitWithoutSale,
    /// The acquirer has the issuer's word that it is reversed, and the movement stands.
    DebitAfterReversal,
    /// The acquirer holds it as not approved, and the movement stands.
    DebitNotApproved,
    /// A party counts another amount to the merchant than kind and amount say.
    MovedDiffers,
    /// Refunds and voids of a transaction exceed it.
    ClaimsExceeded,
    /// The adjustments of a transaction do not add up to an amount that one of them set.
    AdjustedOtherwise,
    /// The issuer applied one transaction under two keys.
    AppliedTwice,
    /// An amount is still held that was completed, released or reversed.
    HoldLeft,
    /// A pre-authorisation stands and its amount is not held.
    HoldMissing,
    /// A leg of a transfer between two issuers stands, and the other does not.
    TransferHalf,
    /// A hold, a release or a transfer stands at the acquirer that the issuer did not approve.
    HoldUnknown,
    /// A hold, a release or a transfer stands at the issuer that the acquirer holds as reversed or not approved.
    HoldNotWanted,
    /// A sale stands at the acquirer that the network never saw approved.
    NetworkDisagrees,
    /// The terminal ended a sale as approved that does not stand at the acquirer.
    TerminalApproved,
    /// The terminal ended a sale as not approved that stands at the acquirer.
    TerminalNotApproved,
    /// A sale stands at the acquirer that its terminal never asked for.
    TerminalNeverAsked,
    /// Open: the answer is awaited.
    InFlight,
    /// Open: the terminal has not confirmed the approval yet.
    AwaitsConfirmation,
    /// Open: an advice that nobody has answered yet.
    AdviceOpen,
    /// Open: in the one-sided queue.
    OneSided,
    /// Open: a reversal is on its way.
    ReversalOpen,
    /// Open: a reversal was refused, people have it.
    ReversalRefused,
    /// Open: the terminal has not ended the sale, or has it as a case.
    TerminalOpen,
    /// Open: debited after the acquirer's journal was read.
    NewerThanAcquirer,
}

impl Check {
    /// The words, zh-CN and en.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::JournalDamaged => ("日志损坏", "the journal is damaged"),
            Self::RecordRefused => (
                "记录与之前的状态不符",
                "a record does not fit what was before it",
            ),
            Self::Books => (
                "账不平或不应透支的账户透支",
                "the books do not balance, or an account is overdrawn",
            ),
            Self::SnapshotDiffers => (
                "快照与记录之和不符",
                "a snapshot is not the sum of its records",
            ),
            Self::ArchiveUnreadable => ("档案无法读取", "the archive does not read"),
            Self::ArchiveDiffers => ("档案与日志不符", "the archive differs from the journal"),
            Self::PostingMissing => (
                "成交未入收单账",
                "a standing sale is not in the acquirer's books",
            ),
            Self::PostingLeft => (
                "收单账留有不成立的交易",
                "the acquirer's books hold a sale that does not stand",
            ),
            Self::ExchangeBooks => (
                "发卡行应答与账不符",
                "the issuer's answer and its books disagree",
            ),
            Self::DebitMissing => (
                "收单成立，发卡行没有入账",
                "what stands at the acquirer has no movement at the issuer",
            ),
            Self::DebitDouble => ("同一交易重复入账", "a transaction was moved more than once"),
            Self::DebitAmount => ("入账金额不符", "another amount was moved"),
            Self::DebitWithoutSale => (
                "发卡行有入账，收单没有该交易",
                "a movement without a transaction at any given acquirer",
            ),
            Self::DebitAfterReversal => (
                "冲正已确认，入账仍在",
                "the reversal is confirmed and the movement stands",
            ),
            Self::DebitNotApproved => (
                "收单不成立，入账仍在",
                "not approved at the acquirer, and the movement stands",
            ),
            Self::MovedDiffers => (
                "记给商户的金额与交易类型和金额不符",
                "the merchant's amount is not what kind and amount say",
            ),
            Self::ClaimsExceeded => (
                "退货与撤销超过原交易金额",
                "refunds and voids exceed their original",
            ),
            Self::AdjustedOtherwise => (
                "调整之和与调整后的金额不符",
                "adjustments do not add up to the adjusted amount",
            ),
            Self::AppliedTwice => (
                "同一交易以两个键入账",
                "one transaction was applied under two keys",
            ),
            Self::HoldLeft => (
                "已完成、解除或冲正的预授权仍有冻结",
                "an amount is held that was completed, released or reversed",
            ),
            Self::HoldMissing => (
                "预授权成立，没有冻结",
                "a pre-authorisation stands and nothing is held",
            ),
            Self::TransferHalf => (
                "转账只有一半成立",
                "one half of a transfer stands without the other",
            ),
            Self::HoldUnknown => (
                "收单成立的冻结、解冻或转账，发卡行没有同意",
                "a hold, release or transfer stands that the issuer did not approve",
            ),
            Self::HoldNotWanted => (
                "发卡行成立的冻结、解冻或转账，收单不成立",
                "a hold, release or transfer stands at the issuer alone",
            ),
            Self::NetworkDisagrees => (
                "收单成交，转接网络没有同意应答",
                "a standing sale that the network never saw approved",
            ),
            Self::TerminalApproved => (
                "终端成交，收单不成立",
                "approved at the terminal, not standing at the acquirer",
            ),
            Self::TerminalNotApproved => (
                "终端未成交，收单成立",
                "not approved at the terminal, standing at the acquirer",
            ),
            Self::TerminalNeverAsked => (
                "收单成交，终端没有该请求",
                "a standing sale that its terminal never asked for",
            ),
            Self::InFlight => ("在途，等待应答", "in flight, the answer is awaited"),
            Self::AwaitsConfirmation => (
                "已同意，等待终端确认",
                "approved, the terminal has not confirmed yet",
            ),
            Self::AdviceOpen => (
                "通知尚未得到答复，继续送出",
                "an advice without an answer yet, still being sent",
            ),
            Self::OneSided => ("单边账待处理", "in the one-sided queue"),
            Self::ReversalOpen => ("冲正进行中", "a reversal is on its way"),
            Self::ReversalRefused => (
                "冲正被拒，人工处理中",
                "a reversal was refused; people have it",
            ),
            Self::TerminalOpen => ("终端未了结", "not ended at the terminal"),
            Self::NewerThanAcquirer => (
                "扣款晚于收单日志的读取",
                "debited after the acquirer's journal was read",
            ),
        }
    }

    /// It is not over yet, which is no difference.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::InFlight
                | Self::AwaitsConfirmation
                | Self::AdviceOpen
                | Self::OneSided
                | Self::ReversalOpen
                | Self::ReversalRefused
                | Self::TerminalOpen
                | Self::NewerThanAcquirer
        )
    }
}

/// Findings of one kind.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Found {
    /// Which.
    pub check: Check,
    /// What it means in zh-CN.
    pub zh: &'static str,
    /// What it means in English.
    pub en: &'static str,
    /// How many there are.
    pub count: u64,
    /// The first [`LISTED_MAX`] of them.
    pub listed: Vec<String>,
}

/// What was read of one party.
#[derive(Clone, Debug, serde::Serialize)]
pub struct PartyReport {
    /// Its data directory.
    pub data: PathBuf,
    /// Its name; empty when its journal does not say.
    pub party: &'static str,
    /// Journal rows whose chain holds.
    pub rows: u64,
    /// Records in them.
    pub records: u64,
    /// The chain over all of them.
    pub chain: String,
    /// Snapshots compared with the fold.
    pub snapshots: u64,
    /// The archive's place; none when there is no archive of this version.
    pub archive_seq: Option<u64>,
    /// Rows of the archive compared.
    pub archive_rows: u64,
}

/// The outcome of a verification.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Report {
    /// No difference was found.
    pub clean: bool,
    /// The parties in the order they were read.
    pub parties: Vec<PartyReport>,
    /// Transactions that stand at the acquirers and were compared with what moved.
    pub sales_compared: u64,
    /// Movements that stand at the issuers and were compared with their transactions.
    pub debits_compared: u64,
    /// Endings at terminals that were compared with their acquirer.
    pub endings_compared: u64,
    /// What differs.
    pub problems: Vec<Found>,
    /// What is not over yet.
    pub open: Vec<Found>,
}

/// Verifies the parties of these data directories, each by itself and all that were given against each other.
pub fn run(data_dirs: &[PathBuf]) -> Report {
    let mut findings = Findings::default();
    let mut report = Report {
        clean: false,
        parties: Vec::new(),
        sales_compared: 0,
        debits_compared: 0,
        endings_compared: 0,
        problems: Vec::new(),
        open: Vec::new(),
    };
    match Scratch::new() {
        Ok(scratch) => check(data_dirs, &scratch, &mut report, &mut findings),
        Err(error) => findings.error(Path::new(""), &error),
    }
    let (open, problems) = findings
        .into_found()
        .partition(|found| found.check.is_open());
    (report.open, report.problems) = (open, problems);
    report.clean = report.problems.is_empty();
    report
}

fn check(data_dirs: &[PathBuf], scratch: &Scratch, report: &mut Report, findings: &mut Findings) {
    let mut recomputed = Vec::new();
    for (number, (role, data)) in party::in_order(data_dirs).into_iter().enumerate() {
        let database = scratch.directory.join(format!("{number}.db"));
        let (read, party) = party::check(data, role, database, findings);
        report.parties.push(read);
        recomputed.extend(party);
    }
    let database = scratch.directory.join("loops.db");
    match loops::check(&recomputed, &database, findings) {
        Ok([sales, debits, endings]) => {
            (
                report.sales_compared,
                report.debits_compared,
                report.endings_compared,
            ) = (sales, debits, endings);
        }
        Err(error) => findings.error(
            &database,
            &ArchiveError::Sqlite {
                path: database.clone(),
                error,
            },
        ),
    }
}

/// What was found so far, each kind counted and its first ones listed.
#[derive(Debug, Default)]
struct Findings(BTreeMap<Check, (u64, Vec<String>)>);

impl Findings {
    fn add(&mut self, check: Check, what: impl FnOnce() -> String) {
        let (count, listed) = self.0.entry(check).or_default();
        *count += 1;
        if listed.len() < LISTED_MAX {
            listed.push(what());
        }
    }

    /// A file that does not read.
    fn error(&mut self, data: &Path, error: &ArchiveError) {
        let check = match error {
            ArchiveError::Record { .. } => Check::RecordRefused,
            _ => Check::JournalDamaged,
        };
        self.add(check, || format!("{}: {error}", data.display()));
    }

    fn into_found(self) -> impl Iterator<Item = Found> {
        self.0.into_iter().map(|(check, (count, listed))| {
            let (zh, en) = check.words();
            Found {
                check,
                zh,
                en,
                count,
                listed,
            }
        })
    }
}

/// Where the archives are recomputed; gone when the verification is over.
struct Scratch {
    directory: PathBuf,
}

impl Scratch {
    fn new() -> Result<Self, ArchiveError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!(
            "counterfoil-verify-{}-{number}",
            std::process::id()
        ));
        match std::fs::create_dir(&directory) {
            Ok(()) => Ok(Self { directory }),
            Err(error) => Err(ArchiveError::File {
                path: directory,
                error,
            }),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.directory) {
            tracing::warn!(directory = %self.directory.display(), %error, "left behind");
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (zh, en) = if self.clean {
            ("一致", "clean")
        } else {
            ("有差异", "differences found")
        };
        writeln!(f, "核验：{zh} / verify: {en}")?;
        for party in &self.parties {
            writeln!(f, "  {} {}", party.party, party.data.display())?;
            writeln!(
                f,
                "    日志 {0} 行、{1} 条记录 / journal {0} rows, {1} records",
                party.rows, party.records
            )?;
            writeln!(f, "    链 / chain {}", party.chain)?;
            writeln!(f, "    快照 {0} 个 / snapshots {0}", party.snapshots)?;
            match party.archive_seq {
                Some(seq) => writeln!(
                    f,
                    "    档案到第 {seq} 行，比对 {0} 条 / archive at row {seq}, {0} rows compared",
                    party.archive_rows
                )?,
                None => writeln!(f, "    没有档案 / no archive")?,
            }
        }
        let (sales, debits, endings) = (
            self.sales_compared,
            self.debits_compared,
            self.endings_compared,
        );
        writeln!(
            f,
            "  成立 {sales} 笔、入账 {debits} 笔、终端结局 {endings} 个 / {sales} standing transactions, {debits} movements, {endings} endings compared"
        )?;
        for (title, found) in [
            ("差异 / differences", &self.problems),
            ("未了 / open", &self.open),
        ] {
            if found.is_empty() {
                continue;
            }
            writeln!(f, "{title}")?;
            for Found {
                zh,
                en,
                count,
                listed,
                ..
            } in found
            {
                writeln!(f, "  {zh} / {en}: {count}")?;
                for line in listed {
                    writeln!(f, "    {line}")?;
                }
                if *count > listed.len() as u64 {
                    writeln!(f, "    …")?;
                }
            }
        }
        Ok(())
    }
}
