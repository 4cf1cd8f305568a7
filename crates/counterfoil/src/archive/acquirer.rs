//! The acquirer's tables: sales with their verdict, the timeline of each, postings and balances.
//!
//! A sale's row is taken from the fold at the record that changed it, so that it is right also when the fold forgets the
//! sale later in the same batch.

use super::projection::{name, no_key, write_balances};
use super::{Projection, Watch};
use crate::journal::{JournalError, Row};
use ::acquirer::wallet::Change;
use ::acquirer::{Acquirer, Config, Record, SaleRecord, WALLET_RECEIVABLE};
use crypto::{KeyUsage, MacAlgorithm};
use ledger::{AccountId, Entry, Transfer, TransferId, TransferState};
use payment::evidence::{Confirmation, ReversalCause, ReversalProgress};
use payment::relay::{Gaps, RelayRecord};
use payment::sign::Trouble;
use payment::timeouts::Ladder;
use payment::verdict::{Receipt, verdict};
use payment::{
    Certificate, Claims, HostKey, Institution, Machine, Mandate, MerchantId, Party, Remedy,
    SaleKey, Statement, Wall,
};
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// `effect` is what an approval does (the posting of its kind), `moved_minor` what that adds to the merchant's money, and
/// `original_` the earlier transaction of the same merchant that it is about. What later ones have claimed of a row stands
/// in its own columns, from `returned_minor` to `undone`. An advice is repeated until it is answered.
///
/// Keys join: `terminal.sale` by terminal, batch, stan and merchant; `issuer.exchange` and `network.exchange` by the four
/// `host_` columns. `event` is clustered by sale, so that a timeline is one range.
///
/// `declaration` is what cardholders say. `paid_twice` are the open items among it: cash was paid too, they say, and the
/// sale stands or is unresolved. `sale_facts` finds a sale by what a cardholder knows of it, `sale_returned` an issuer's
/// past returns.
pub(super) const SCHEMA: &str = "
    CREATE TABLE sale(terminal TEXT NOT NULL, batch INTEGER NOT NULL, stan INTEGER NOT NULL, merchant TEXT NOT NULL,
        rrn TEXT NOT NULL, kind TEXT NOT NULL, effect TEXT NOT NULL, amount_minor INTEGER NOT NULL,
        currency INTEGER NOT NULL, card_masked TEXT NOT NULL, received_ms INTEGER NOT NULL, host_transmission INTEGER,
        host_stan INTEGER, host_acquirer INTEGER, host_forwarder INTEGER, answered_ms INTEGER, code TEXT, approval TEXT,
        upstream TEXT NOT NULL, delivery TEXT NOT NULL, confirmation TEXT NOT NULL, slip_level INTEGER, slip_trouble TEXT,
        reversal_cause TEXT, reversal_reason TEXT, reversal_progress TEXT, reversal_code TEXT, attempts INTEGER NOT NULL,
        late_approval INTEGER NOT NULL, duplicates INTEGER NOT NULL, one_sided INTEGER NOT NULL, case_number INTEGER,
        due_ms INTEGER, stands INTEGER NOT NULL, posting INTEGER, verdict_row TEXT NOT NULL, outcome TEXT NOT NULL,
        receipt TEXT NOT NULL, position TEXT NOT NULL, goods TEXT NOT NULL, owner TEXT NOT NULL, headline_zh TEXT NOT NULL,
        headline_en TEXT NOT NULL, link TEXT, advice INTEGER NOT NULL, moved_minor INTEGER NOT NULL, original_terminal TEXT,
        original_batch INTEGER, original_stan INTEGER, returned_minor INTEGER NOT NULL, held_more_minor INTEGER NOT NULL,
        captured_minor INTEGER NOT NULL, adjusted_minor INTEGER NOT NULL, undone INTEGER NOT NULL,
        PRIMARY KEY(terminal, batch, stan, merchant));
    CREATE INDEX sale_original ON sale(merchant, original_terminal, original_batch, original_stan)
        WHERE original_stan IS NOT NULL;
    CREATE INDEX sale_rrn ON sale(rrn);
    CREATE INDEX sale_link ON sale(link) WHERE link IS NOT NULL;
    CREATE INDEX sale_facts ON sale(amount_minor, substr(card_masked, -4), received_ms);
    CREATE INDEX sale_returned ON sale(substr(card_masked, 1, 6), received_ms) WHERE verdict_row = 'reversed';
    CREATE TABLE declaration(terminal TEXT NOT NULL, batch INTEGER NOT NULL, stan INTEGER NOT NULL, merchant TEXT NOT NULL,
        statement TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY(terminal, batch, stan, merchant, statement));
    CREATE VIEW paid_twice AS SELECT sale.*, declaration.at_ms AS declared_ms FROM declaration
        JOIN sale USING(terminal, batch, stan, merchant)
        WHERE statement = 'paid_cash' AND outcome NOT IN ('reversed', 'declined');
    CREATE TABLE certificate(number INTEGER PRIMARY KEY, terminal TEXT NOT NULL, batch INTEGER NOT NULL,
        stan INTEGER NOT NULL, merchant TEXT NOT NULL, payload BLOB NOT NULL);
    CREATE INDEX certificate_sale ON certificate(terminal, batch, stan, merchant);
    CREATE TABLE event(terminal TEXT NOT NULL, batch INTEGER NOT NULL, stan INTEGER NOT NULL, merchant TEXT NOT NULL,
        seq INTEGER NOT NULL, ordinal INTEGER NOT NULL, at_ms INTEGER NOT NULL, what TEXT NOT NULL, detail TEXT,
        PRIMARY KEY(terminal, batch, stan, merchant, seq, ordinal)) WITHOUT ROWID;
    CREATE INDEX event_place ON event(seq, ordinal);
    CREATE TABLE posting(id INTEGER PRIMARY KEY, debit INTEGER NOT NULL, credit INTEGER NOT NULL,
        amount_minor INTEGER NOT NULL, reversed INTEGER NOT NULL);";

const INSERT_EVENT: &str = "INSERT INTO event VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const UPSERT_SALE: &str = "
    INSERT INTO sale VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
        ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, ?43, ?44,
        ?45, ?46, ?47, ?48, ?49, ?50, ?51, ?52, ?53, ?54)
    ON CONFLICT(terminal, batch, stan, merchant) DO UPDATE SET
        rrn = excluded.rrn, kind = excluded.kind, effect = excluded.effect, amount_minor = excluded.amount_minor,
        currency = excluded.currency, card_masked = excluded.card_masked, received_ms = excluded.received_ms,
        host_transmission = excluded.host_transmission, host_stan = excluded.host_stan,
        host_acquirer = excluded.host_acquirer, host_forwarder = excluded.host_forwarder,
        answered_ms = excluded.answered_ms, code = excluded.code, approval = excluded.approval, upstream = excluded.upstream,
        delivery = excluded.delivery, confirmation = excluded.confirmation, slip_level = excluded.slip_level,
        slip_trouble = excluded.slip_trouble, reversal_cause = excluded.reversal_cause,
        reversal_reason = excluded.reversal_reason, reversal_progress = excluded.reversal_progress,
        reversal_code = excluded.reversal_code, attempts = excluded.attempts, late_approval = excluded.late_approval,
        duplicates = excluded.duplicates, one_sided = excluded.one_sided, case_number = excluded.case_number,
        due_ms = excluded.due_ms, stands = excluded.stands, posting = excluded.posting, verdict_row = excluded.verdict_row,
        outcome = excluded.outcome, receipt = excluded.receipt, position = excluded.position, goods = excluded.goods,
        owner = excluded.owner, headline_zh = excluded.headline_zh, headline_en = excluded.headline_en, link = excluded.link,
        advice = excluded.advice, moved_minor = excluded.moved_minor, original_terminal = excluded.original_terminal,
        original_batch = excluded.original_batch, original_stan = excluded.original_stan,
        returned_minor = excluded.returned_minor, held_more_minor = excluded.held_more_minor,
        captured_minor = excluded.captured_minor, adjusted_minor = excluded.adjusted_minor, undone = excluded.undone";
const UPDATE_CLAIMS: &str = "
    UPDATE sale SET returned_minor = ?5, held_more_minor = ?6, captured_minor = ?7, adjusted_minor = ?8, undone = ?9
    WHERE terminal = ?1 AND batch = ?2 AND stan = ?3 AND merchant = ?4";
const INSERT_DECLARATION: &str = "INSERT OR IGNORE INTO declaration VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
const INSERT_CERTIFICATE: &str = "INSERT INTO certificate VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
const UPSERT_POSTING: &str = "INSERT INTO posting VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(id) DO UPDATE SET reversed = excluded.reversed";

/// The fold and what waits to be written.
pub(super) struct AcquirerTables {
    fold: Acquirer,
    /// Transactions whose reversal is on its way, or that are advices to be repeated, by the key of what is sent.
    advices: BTreeMap<HostKey, SaleKey>,
    sales: BTreeMap<SaleKey, Changed>,
    claims: BTreeMap<SaleKey, Claims>,
    events: Vec<Event>,
    certificates: Vec<Certificate>,
    declarations: Vec<(SaleKey, Statement, Wall)>,
    accounts: BTreeSet<AccountId>,
    merchants: BTreeMap<AccountId, MerchantId>,
    watch: Option<Watch>,
    /// Sales whose loop was found broken, and when, until it is whole.
    broken: BTreeMap<SaleKey, Wall>,
}

/// A sale after a record changed it.
struct Changed {
    sale: SaleRecord,
    /// The movement in the books, and whether it was taken back.
    posting: Option<(Transfer, bool)>,
}

struct Event {
    key: SaleKey,
    seq: u64,
    ordinal: usize,
    at: Wall,
    what: &'static str,
    detail: Option<String>,
}

impl AcquirerTables {
    pub(super) fn new() -> Self {
        let config = Config {
            institution: Institution(0),
            network: Institution(0),
            kek: no_key(KeyUsage::HostMaster),
            mac: MacAlgorithm::X919,
            ladder: Ladder::default(),
            gaps: Gaps::default(),
            confirm_within_ms: 0,
            percents: payment::Percents::default(),
            wallet: None,
            certificates: None,
            offer: payment::download::Offer::default(),
            merchants: BTreeMap::new(),
            terminals: BTreeMap::new(),
        };
        Self {
            fold: Acquirer::new(config),
            advices: BTreeMap::new(),
            sales: BTreeMap::new(),
            claims: BTreeMap::new(),
            events: Vec::new(),
            certificates: Vec::new(),
            declarations: Vec::new(),
            accounts: BTreeSet::new(),
            merchants: BTreeMap::new(),
            watch: None,
            broken: BTreeMap::new(),
        }
    }

    /// Tells the watch what a record that was just applied ended; `slip` is what was known of the slip before.
    fn tell(&mut self, key: SaleKey, record: &Record, at: Wall, slip: Option<Receipt>) {
        let Some(watch) = self.watch.as_ref().filter(|watch| at >= watch.since) else {
            return;
        };
        let observed = &watch.observed;
        match record {
            Record::Answered { .. } | Record::NotSent { .. } => {
                if let Some(sale) = self.fold.state().sale(&key) {
                    observed.hop.observe(sale.received.wall, at);
                }
            }
            Record::Reversing { .. } | Record::OneSided { .. }
                if self.broken.len() < BROKEN_MAX =>
            {
                self.broken.entry(key).or_insert(at);
            }
            Record::ReversalAnswered { code, .. } if !code.reversal_done() => {}
            Record::ReversalAnswered { .. } | Record::Confirmed { .. } => {
                if let Some(since) = self.broken.remove(&key) {
                    observed.heal.observe(since, at);
                }
                let now = self.slip(key);
                if let (Some(cause), None) = (now.and_then(unprinted), slip.and_then(unprinted)) {
                    observed.unprinted(name(&cause));
                }
            }
            _ => {}
        }
    }

    /// What is known of the slip of a sale.
    fn slip(&self, key: SaleKey) -> Option<Receipt> {
        let sale = self.fold.state().sale(&key)?;
        Some(verdict(sale.request.kind, &sale.evidence).receipt)
    }

    /// The sale that a record is about.
    fn subject(&mut self, record: &Record) -> Option<SaleKey> {
        match record {
            Record::Forwarded { sale, .. }
            | Record::Ordered { sale, .. }
            | Record::Refused { sale, .. } => Some(sale.key),
            Record::Wallet(record) => Some(record.key),
            Record::Repeated { key, .. }
            | Record::NotSent { key, .. }
            | Record::Waiting { key, .. }
            | Record::LateApproval { key }
            | Record::Tombstone { key }
            | Record::NoticeOwed { key, .. }
            | Record::NoticeTaken { key }
            | Record::Delivered { key, .. }
            | Record::Confirmed { key, .. }
            | Record::OneSided { key, .. }
            | Record::BatchBreak { key, .. }
            | Record::ChipUploaded { key, .. }
            | Record::Guarded { key, .. }
            | Record::Linked { key, .. }
            | Record::Declared { key, .. }
            | Record::Remedied { key, .. }
            | Record::Certified { key, .. } => Some(*key),
            Record::Reversing { key, advice, .. } => {
                self.advices.insert(*advice, *key);
                Some(*key)
            }
            Record::Deferred { key, .. } => {
                let host = self.fold.state().sale(key).and_then(|sale| sale.host);
                self.advices.extend(host.map(|host| (host, *key)));
                Some(*key)
            }
            Record::Answered { key, .. } => {
                let host = self.fold.state().sale(key).and_then(|sale| sale.host);
                host.map(|host| self.advices.remove(&host));
                Some(*key)
            }
            Record::ReversalAnswered { key, code, .. } => {
                let reversal = self.fold.state().sale(key).and_then(|sale| sale.reversal);
                if let (true, Some(reversal)) = (code.reversal_done(), reversal) {
                    self.advices.remove(&reversal.advice);
                }
                Some(*key)
            }
            Record::Relay(RelayRecord::Tried { key, .. }) => self.advices.get(key).copied(),
            Record::Relay(_)
            | Record::Recalled(_)
            | Record::SignedOn { .. }
            | Record::SignedOff { .. }
            | Record::Compared { .. }
            | Record::Uploaded { .. }
            | Record::UploadAnew { .. }
            | Record::Downloaded { .. }
            | Record::BatchClosed { .. }
            | Record::NetworkAsked { .. }
            | Record::NetworkKeys { .. } => None,
        }
    }

    fn changed(&mut self, key: SaleKey) {
        let state = self.fold.state();
        let Some(sale) = state.sale(&key).filter(|sale| !sale.recalled) else {
            return;
        };
        let ledger = state.books().ledger();
        let posting =
            sale.transfer
                .map(|id| TransferId(u128::from(id)))
                .and_then(|id| match ledger.entry(id) {
                    Some(Entry::Post { transfer }) => {
                        Some((transfer, ledger.state(id) == Some(TransferState::Reversed)))
                    }
                    _ => None,
                });
        if let Some((Transfer { debit, credit, .. }, _)) = posting {
            self.accounts.extend([debit, credit]);
            // What is added to a merchant's money is credited to its account, what is taken from it debited.
            let account = if sale.moved_minor > 0 { credit } else { debit };
            self.merchants.insert(account, key.merchant);
        }
        self.sales.insert(
            key,
            Changed {
                sale: sale.clone(),
                posting,
            },
        );
    }
}

/// The cause for which a slip that was due is not known to be on paper.
fn unprinted(slip: Receipt) -> Option<Trouble> {
    match slip {
        Receipt::Failed(cause) | Receipt::ESlip(cause) => Some(cause),
        Receipt::None | Receipt::Printed | Receipt::SentNotConfirmed | Receipt::Unknown => None,
    }
}

/// Broken loops whose healing is timed at once; beyond it new ones are not timed.
const BROKEN_MAX: usize = 65_536;
/// A transaction, its original, and that one's: a completion taken back, the completion, the pre-authorisation.
const CHAIN_MAX: usize = 3;

impl AcquirerTables {
    /// What a transaction is about has other claims now. Its row keeps the rest: what was forgotten and recalled is not all
    /// known any more.
    fn claimed(&mut self, key: SaleKey) {
        let state = self.fold.state();
        let original = |key: &SaleKey| state.sale(key).and_then(|sale| sale.original);
        let chain = std::iter::successors(Some(key), original).take(CHAIN_MAX);
        let changed = chain
            .skip(1)
            .filter_map(|key| Some((key, state.sale(&key)?.claims)));
        self.claims.extend(changed);
    }

    /// Name and detail of a record about a transaction.
    fn event(&self, key: SaleKey, record: &Record) -> Option<(&'static str, Option<String>)> {
        let reversed = |sale: &SaleRecord| sale.reversal.is_some();
        match record {
            Record::Relay(_) if !self.fold.state().sale(&key).is_some_and(reversed) => {
                Some(("advice_tried", None))
            }
            _ => event(record),
        }
    }
}

impl Projection for AcquirerTables {
    fn take(&mut self, row: &Row, path: &Path, keep: bool) -> Result<u64, JournalError> {
        let records = row.records::<Record>(path)?;
        for (ordinal, record) in records.iter().enumerate() {
            let subject = self.subject(record);
            let certificate = self.fold.state().certificate(record);
            self.certificates.extend(certificate.filter(|_| keep));
            if let (true, Record::Declared { key, statement, at }) = (keep, record) {
                self.declarations.push((*key, *statement, *at));
            }
            let confirms = matches!(record, Record::Confirmed { .. });
            let slip = subject.filter(|_| keep && confirms);
            let slip = slip.and_then(|key| self.slip(key));
            self.fold.apply(record);
            if let (true, Some(key)) = (keep, subject) {
                self.tell(key, record, row.now.wall, slip);
                self.changed(key);
                self.claimed(key);
                let Some((what, detail)) = self.event(key, record) else {
                    continue;
                };
                self.events.push(Event {
                    key,
                    seq: row.seq,
                    ordinal,
                    at: row.now.wall,
                    what,
                    detail,
                });
            }
        }
        Ok(records.len() as u64)
    }

    fn write(&mut self, archive: &Connection) -> rusqlite::Result<()> {
        // In the order of their table, so that each page is touched once.
        self.events
            .sort_unstable_by_key(|event| (event.key, event.seq, event.ordinal));
        let mut insert = archive.prepare_cached(INSERT_EVENT)?;
        for Event {
            key,
            seq,
            ordinal,
            at,
            what,
            detail,
        } in self.events.drain(..)
        {
            let (terminal, merchant) = (key.terminal.as_str(), key.merchant.as_str());
            insert.execute(params![
                terminal,
                key.batch.0,
                key.stan.0,
                merchant,
                seq as i64,
                ordinal as i64,
                at.0,
                what,
                detail
            ])?;
        }
        let mut insert = archive.prepare_cached(INSERT_CERTIFICATE)?;
        for certificate in self.certificates.drain(..) {
            let key = certificate.sale;
            insert.execute(params![
                certificate.number as i64,
                key.terminal.as_str(),
                key.batch.0,
                key.stan.0,
                key.merchant.as_str(),
                certificate.payload(),
            ])?;
        }
        let mut insert = archive.prepare_cached(INSERT_DECLARATION)?;
        for (key, statement, at) in self.declarations.drain(..) {
            insert.execute(params![
                key.terminal.as_str(),
                key.batch.0,
                key.stan.0,
                key.merchant.as_str(),
                statement.name(),
                at.0,
            ])?;
        }
        for changed in std::mem::take(&mut self.sales).into_values() {
            write_sale(archive, &changed)?;
        }
        let mut update = archive.prepare_cached(UPDATE_CLAIMS)?;
        for (key, claims) in std::mem::take(&mut self.claims) {
            update.execute(params![
                key.terminal.as_str(),
                key.batch.0,
                key.stan.0,
                key.merchant.as_str(),
                claims.returned as i64,
                claims.held_more as i64,
                claims.captured as i64,
                claims.adjusted,
                claims.undone,
            ])?;
        }
        let merchants = std::mem::take(&mut self.merchants);
        let owner = |account| match merchants.get(&account) {
            Some(merchant) => merchant.to_string(),
            None if account == WALLET_RECEIVABLE => "wallet".to_owned(),
            None => "network".to_owned(),
        };
        write_balances(
            archive,
            self.fold.state().books().ledger(),
            &mut self.accounts,
            owner,
        )
    }

    fn restore(&mut self, snapshot: &[u8]) -> bool {
        let Ok(state) = postcard::from_bytes(snapshot) else {
            return false;
        };
        self.fold.restore(state);
        let open = |sale: &SaleRecord| {
            let reversal = sale.reversal.map(|reversal| reversal.advice);
            let advice = sale.host.filter(|_| sale.request.kind.row().is_advice());
            let sent = reversal.or(advice).filter(|_| !sale.is_closed())?;
            Some((sent, sale.key()))
        };
        self.advices = self.fold.state().sales().filter_map(open).collect();
        true
    }

    fn agrees(&self, snapshot: &[u8]) -> bool {
        postcard::to_allocvec(self.fold.state()).is_ok_and(|state| state == snapshot)
    }

    fn watched(&mut self, watch: Watch) {
        self.watch = Some(watch);
    }

    fn audit(&self) -> Result<(), String> {
        self.fold
            .state()
            .books()
            .ledger()
            .audit()
            .map_err(|error| error.to_string())
    }
}

/// Name and detail of a record that is about a sale; a link id is no event.
fn event(record: &Record) -> Option<(&'static str, Option<String>)> {
    let told = match record {
        Record::Forwarded { host, .. } => ("forwarded", Some(host.to_string())),
        Record::Ordered { .. } => ("ordered", None),
        Record::Wallet(record) => return wallet_event(&record.change),
        Record::Refused { code, .. } => ("refused", Some(code.to_string())),
        Record::Repeated { .. } => ("repeated", None),
        Record::Answered { answer, .. } => ("answered", Some(answer.code.to_string())),
        Record::NotSent { answer, .. } => ("not_sent", Some(answer.code.to_string())),
        Record::Reversing { reason, .. } => ("reversing", Some(reason.0.to_string())),
        Record::Waiting { waiter, .. } => ("waiting", waiter.is_none().then(|| "98".to_owned())),
        Record::Deferred { .. } => ("deferred", None),
        Record::Guarded { earlier, .. } => ("guarded", Some(earlier.to_string())),
        Record::LateApproval { .. } => ("late_approval", None),
        Record::ReversalAnswered { code, .. } => ("reversal_answered", Some(code.to_string())),
        Record::Tombstone { .. } => ("tombstone", None),
        Record::Delivered { delivery, .. } => ("delivered", Some(name(delivery))),
        Record::Confirmed { confirmation, .. } => {
            ("confirmed", Some(confirmation_name(*confirmation)))
        }
        Record::OneSided { case, .. } => ("one_sided", Some(case.to_string())),
        Record::NoticeOwed { by, .. } => ("notice_owed", Some(by.to_string())),
        Record::NoticeTaken { .. } => ("notice_taken", None),
        Record::BatchBreak { case, .. } => ("batch_break", Some(case.to_string())),
        Record::Certified { outcome, .. } => ("certified", Some(name(outcome))),
        Record::Declared { statement, .. } => {
            let what = match statement {
                Statement::PaidCash => "declared_paid_cash",
                Statement::NotMe => "declared_not_me",
            };
            (what, None)
        }
        Record::Remedied {
            remedy, mandate, ..
        } => (remedied(*remedy), Some(mandate_text(mandate))),
        Record::Linked { .. }
        | Record::Recalled(_)
        | Record::Compared { .. }
        | Record::Uploaded { .. }
        | Record::UploadAnew { .. }
        | Record::ChipUploaded { .. }
        | Record::Downloaded { .. }
        | Record::BatchClosed { .. } => return None,
        // Of these only an attempt at an advice is about a sale.
        Record::Relay(_)
        | Record::SignedOn { .. }
        | Record::SignedOff { .. }
        | Record::NetworkAsked { .. }
        | Record::NetworkKeys { .. } => ("reversal_tried", None),
    };
    Some(told)
}

const fn remedied(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::AskNow => "staff_asked_now",
        Remedy::GiveBack => "staff_gave_back",
    }
}

/// Who proposed a remedy, who approved it, and why.
fn mandate_text(mandate: &Mandate) -> String {
    let Mandate { by, reason, .. } = mandate;
    match &mandate.approved {
        Some(second) => format!("{by} + {second} #{}: {reason}", mandate.proposal),
        None => format!("{by}: {reason}"),
    }
}

/// Polls are no events, and what they find out is one of the sale's own.
fn wallet_event(change: &Change) -> Option<(&'static str, Option<String>)> {
    let (what, detail) = match change {
        Change::Shown { .. } => ("order_shown", None),
        Change::Paying => ("user_paying", None),
        Change::Ending { .. } => ("order_ending", None),
        Change::Ended { end, .. } => ("order_ended", Some(name(end))),
        Change::PaidLate { .. } => ("paid_late", None),
        Change::Refunding { amount, .. } => ("refunding", Some(amount.to_string())),
        Change::RefundAnswered { progress, .. } => ("refund_answered", Some(name(progress))),
        _ => return None,
    };
    Some((what, detail))
}

/// `none`, `implied`, `settled`, `signed_approved`, `signed_declined`, `signed_reversed`.
fn confirmation_name(confirmation: Confirmation) -> String {
    match confirmation {
        Confirmation::Signed(outcome, _) => format!("signed_{}", name(&outcome)),
        other => name(&other),
    }
}

fn write_sale(archive: &Connection, Changed { sale, posting }: &Changed) -> rusqlite::Result<()> {
    let (key, request, evidence) = (sale.key(), &sale.request, &sale.evidence);
    let (host, answer, verdict) = (sale.host, sale.answer, verdict(request.kind, evidence));
    let slip = match evidence.confirmation {
        Confirmation::Signed(_, slip) => Some(slip),
        Confirmation::None | Confirmation::Implied | Confirmation::Settled => None,
    };
    let reversal = evidence.reversal;
    let reason = reversal.and_then(|reversal| match reversal.cause {
        ReversalCause::Terminal(reason) => Some(reason.to_string()),
        ReversalCause::Upstream | ReversalCause::Replaced | ReversalCause::Staff(_) => None,
    });
    let reversal_code = reversal.and_then(|reversal| match reversal.progress {
        ReversalProgress::Confirmed(code) | ReversalProgress::Refused(code) => {
            Some(code.to_string())
        }
        ReversalProgress::Open => None,
    });
    let (row, claims) = (request.kind.row(), sale.claims);
    archive.prepare_cached(UPSERT_SALE)?.execute(params![
        key.terminal.as_str(),
        key.batch.0,
        key.stan.0,
        key.merchant.as_str(),
        sale.rrn.as_str(),
        name(&request.kind),
        name(&row.posting),
        request.amount.minor as i64,
        request.amount.currency.0,
        request.card.masked(),
        sale.received.wall.0,
        host.map(|host| host.transmission as i64),
        host.map(|host| host.stan.0),
        host.map(|host| host.acquirer.0 as i64),
        host.map(|host| host.forwarder.0 as i64),
        answer.map(|answer| answer.at.0),
        answer.as_ref().map(|answer| answer.code.as_str()),
        answer
            .and_then(|answer| answer.approval)
            .map(|approval| approval.to_string()),
        name(&evidence.upstream),
        name(&evidence.delivery),
        confirmation_name(evidence.confirmation),
        slip.map(|slip| slip.level),
        slip.map(|slip| name(&slip.trouble)),
        reversal.map(|reversal| name(&reversal.cause)),
        reason,
        reversal.map(|reversal| name(&reversal.progress)),
        reversal_code,
        reversal.map_or(0, |reversal| reversal.attempts),
        evidence.late_approval,
        evidence.duplicates,
        evidence.one_sided,
        evidence.case,
        evidence.due.map(|due| due.0),
        sale.stands(),
        sale.transfer.map(|id| id as i64),
        verdict.row,
        name(&verdict.outcome),
        name(&verdict.receipt),
        name(&verdict.position),
        name(&verdict.goods),
        name(&verdict.owner),
        verdict.headline_zh,
        verdict.headline_en,
        sale.link.map(|link| link.to_string()),
        row.is_advice(),
        sale.moved_minor,
        sale.original.map(|original| original.terminal.to_string()),
        sale.original.map(|original| original.batch.0),
        sale.original.map(|original| original.stan.0),
        claims.returned as i64,
        claims.held_more as i64,
        claims.captured as i64,
        claims.adjusted,
        claims.undone,
    ])?;
    if let Some((posting, reversed)) = posting {
        archive.prepare_cached(UPSERT_POSTING)?.execute(params![
            posting.id.0 as i64,
            posting.debit.0 as i64,
            posting.credit.0 as i64,
            posting.amount_minor as i64,
            reversed,
        ])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{EVENTS, event_words};

    #[test]
    fn every_event_has_words() {
        let relay = Record::Relay(RelayRecord::Closed {
            key: HostKey {
                transmission: 0,
                stan: payment::Stan(1),
                acquirer: Institution(1),
                forwarder: Institution(1),
            },
        });
        let (what, _) = event(&relay).expect("an event");
        assert!(event_words(what).is_some());
        assert_eq!(event_words("unheard of"), None);
        assert!(
            EVENTS
                .iter()
                .all(|(what, zh, en)| !what.is_empty() && !zh.is_empty() && !en.is_empty())
        );
    }
}
