//! The terminals' table: each transaction that moves money, how it ended at the till, and what its printer proved of the slip.
//!
//! The ending and the slip are written apart: no paper event changes an ending.

use super::projection::{name, no_key};
use super::{Projection, Watch};
use crate::fleet::Record as FleetRecord;
use crate::journal::{JournalError, Row};
use ::terminal::{Advice, Config, Ending, Phase, Record, State, Terminal, slip_id};
use crypto::KeyUsage;
use payment::relay::Gaps;
use payment::terminal::{Request, Sale};
use payment::{Batch, Machine, MerchantId, Now, Party, SaleKey, Stan, TerminalId};
use receipt::{JobState, Language, Paper, SpoolRecord};
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// `ending` is `asked`, `unknown`, `following`, `question` or `reversing` while a transaction is open, `stored` while an
/// advice waits for its answer, then `approved`, `declined`,
/// `not_sent`, `reversed`, `replaced` or `case`. The slip columns are of the weakest of the slip's copies and null without a slip.
pub(super) const SCHEMA: &str = "
    CREATE TABLE sale(terminal TEXT NOT NULL, batch INTEGER NOT NULL, stan INTEGER NOT NULL, merchant TEXT NOT NULL,
        place INTEGER NOT NULL, kind TEXT NOT NULL, amount_minor INTEGER NOT NULL, currency INTEGER NOT NULL,
        card_masked TEXT NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER, ending TEXT NOT NULL, code TEXT, rrn TEXT,
        approval TEXT, approved_minor INTEGER, recovered INTEGER, never_debited INTEGER, attempts INTEGER NOT NULL,
        slip_state TEXT, slip_trouble TEXT, slip_level INTEGER, slip_printed INTEGER, advice INTEGER NOT NULL,
        PRIMARY KEY(terminal, batch, stan, merchant));";

const UPSERT_SALE: &str = "
    INSERT INTO sale VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
        NULL, NULL, NULL, NULL, ?20)
    ON CONFLICT(terminal, batch, stan, merchant) DO UPDATE SET
        ended_ms = excluded.ended_ms, ending = excluded.ending, code = excluded.code, rrn = excluded.rrn,
        approval = excluded.approval, approved_minor = excluded.approved_minor, recovered = excluded.recovered,
        never_debited = excluded.never_debited, attempts = excluded.attempts";
const TAKE_BACK: &str = "
    UPDATE sale SET ended_ms = ?5, ending = ?6, code = NULL, rrn = NULL, approval = NULL, approved_minor = NULL,
        recovered = NULL, never_debited = ?7
    WHERE terminal = ?1 AND batch = ?2 AND stan = ?3 AND merchant = ?4";
const UPDATE_SLIP: &str = "
    UPDATE sale SET slip_state = ?4, slip_trouble = ?5, slip_level = ?6, slip_printed = ?7
    WHERE terminal = ?1 AND batch = ?2 AND stan = ?3";

/// The folds and what waits to be written.
pub(super) struct TerminalTables {
    places: BTreeMap<u32, Place>,
    sales: BTreeMap<SaleKey, Line>,
    taken_back: Vec<(SaleKey, Ending, Now)>,
    slips: BTreeMap<(TerminalId, u64), Slip>,
    watch: Option<Watch>,
}

struct Place {
    fold: Terminal,
    id: Option<TerminalId>,
    /// Slips in its spool.
    slips: BTreeSet<u64>,
    /// The slip whose print was started last.
    running: Option<u64>,
    /// What the printer said last.
    printer: receipt::Status,
}

/// A sale after a record changed it.
struct Line {
    place: u32,
    sale: Sale,
    started: Now,
    ended: Option<Now>,
    ending: String,
    last: Option<Ending>,
    attempts: u32,
}

struct Slip {
    state: JobState,
    level: u8,
    printed: u32,
}

impl TerminalTables {
    pub(super) fn new() -> Self {
        Self {
            places: BTreeMap::new(),
            sales: BTreeMap::new(),
            taken_back: Vec::new(),
            slips: BTreeMap::new(),
            watch: None,
        }
    }

    fn take_one(&mut self, FleetRecord { place, record }: &FleetRecord, keep: bool) {
        let at = self.places.entry(*place).or_insert_with(Place::new);
        // A sale that ends leaves the state with its start, so it is looked at before.
        let before = at.open();
        let advice = at.advice();
        at.fold.apply(record);
        at.note(record);
        if !keep {
            return;
        }
        match record {
            Record::Spool(record) => {
                let Some(terminal) = at.id else { return };
                for (slip, known) in at.heard(record) {
                    self.slips.insert((terminal, slip), known);
                }
            }
            Record::TakenBack {
                sale, ending, at, ..
            } => self.taken_back.push((*sale, *ending, *at)),
            Record::Ended { .. } | Record::Overridden { .. } => {
                let ended = at.fold.state().completed().next_back();
                if let (Some((sale, started, _, attempts)), Some(ended)) = (before, ended) {
                    if let Some(watch) = &self.watch {
                        watch.hop(started.wall, ended.at.wall);
                    }
                    let line = Line {
                        place: *place,
                        sale,
                        started,
                        ended: Some(ended.at),
                        ending: name(&ended.ending),
                        last: Some(ended.ending),
                        attempts,
                    };
                    self.sales.insert(sale.key, line);
                }
            }
            Record::Stored { sale, at } => {
                self.sales.insert(sale.key, stored(*place, *sale, *at, 0));
            }
            Record::Asked {
                request: Request::Financial { sale, .. },
                ..
            } if sale.kind.row().is_advice() => {
                if let Some(advice) = at.advice() {
                    let line = stored(*place, advice.sale, advice.stored, advice.attempts);
                    self.sales.insert(advice.sale.key, line);
                }
            }
            Record::AdviceEnded { ending, at, .. } => {
                if let Some(advice) = advice {
                    let line = Line {
                        ended: Some(*at),
                        ending: name(ending),
                        last: Some(*ending),
                        ..stored(*place, advice.sale, advice.stored, advice.attempts)
                    };
                    self.sales.insert(advice.sale.key, line);
                }
            }
            _ => {
                if let Some((sale, started, ending, attempts)) = at.open() {
                    let ending = ending.to_owned();
                    let line = Line {
                        place: *place,
                        sale,
                        started,
                        ended: None,
                        ending,
                        last: None,
                        attempts,
                    };
                    self.sales.insert(sale.key, line);
                }
            }
        }
    }
}

/// An advice that waits for its answer.
fn stored(place: u32, sale: Sale, started: Now, attempts: u32) -> Line {
    Line {
        place,
        sale,
        started,
        ended: None,
        ending: "stored".to_owned(),
        last: None,
        attempts,
    }
}

impl Place {
    fn new() -> Self {
        let config = Config {
            terminal: TerminalId(*b"00000000"),
            merchant: MerchantId(*b"000000000000000"),
            merchant_name: String::new(),
            acquirer_name: String::new(),
            issuers: Vec::new(),
            operator: String::new(),
            tmk: no_key(KeyUsage::TerminalMaster),
            // The only part of a configuration that a state begins with; terminals begin with 1.
            first_stan: Stan(1),
            answer_ms: 0,
            query_ms: 0,
            extended: true,
            dialogue_ms: 0,
            goods_question_ms: 0,
            gaps: Gaps::default(),
            source_address: 0,
            percents: payment::Percents::default(),
            batch_resends: 0,
            idle_report_ms: 0,
            prints: true,
            chip: None,
            eslip: None,
            eslip_after_ms: 0,
            language: Language::Zh,
            paper: Paper::Mm58,
        };
        Self {
            fold: Terminal::new(config),
            id: None,
            slips: BTreeSet::new(),
            running: None,
            printer: receipt::Status::default(),
        }
    }

    /// The sale that is not over: what is being done about it, and reversals sent.
    fn open(&self) -> Option<(Sale, Now, &'static str, u32)> {
        let state = self.fold.state();
        let Some(open) = state.open() else {
            let reversal = state.reversal()?;
            return Some((
                reversal.sale,
                reversal.started,
                "reversing",
                reversal.attempts,
            ));
        };
        let phase = match open.phase {
            Phase::Asked => "asked",
            Phase::Unknown { .. } => "unknown",
            Phase::Following { .. } => "following",
            Phase::Question { .. } => "question",
        };
        Some((open.sale, open.started, phase, 0))
    }

    /// The advice that goes first.
    fn advice(&self) -> Option<Advice> {
        self.fold.state().advices().next().copied()
    }

    /// Remembers whose place this is and which slips it has under way.
    fn note(&mut self, record: &Record) {
        match record {
            Record::Asked {
                request: Request::Financial { sale, .. } | Request::Reversal { sale, .. },
                ..
            } => {
                self.id = Some(sale.key.terminal);
            }
            Record::Stored { sale, .. } => self.id = Some(sale.key.terminal),
            Record::Spool(
                SpoolRecord::Submitted { slip_id, .. }
                | SpoolRecord::SubmittedReport { slip_id, .. }
                | SpoolRecord::Wanted { slip_id, .. },
            ) => {
                self.slips.insert(*slip_id);
            }
            Record::Spool(SpoolRecord::Forgotten { slip_id, .. }) => {
                self.slips.remove(slip_id);
            }
            Record::Spool(SpoolRecord::Started { slip_id, .. }) => {
                self.running = Some(*slip_id);
            }
            _ => {}
        }
    }

    /// The slips that a record of the spool may have changed, as the spool knows them now.
    fn heard(&mut self, record: &SpoolRecord) -> Vec<(u64, Slip)> {
        let touched = match record {
            SpoolRecord::Submitted { slip_id, .. }
            | SpoolRecord::SubmittedReport { slip_id, .. }
            | SpoolRecord::Wanted { slip_id, .. }
            | SpoolRecord::Answered { slip_id, .. }
            | SpoolRecord::Scanned { slip_id, .. }
            | SpoolRecord::Started { slip_id, .. }
            | SpoolRecord::Expired { slip_id, .. } => Some(*slip_id),
            SpoolRecord::Wrote { .. }
            | SpoolRecord::NotSent { .. }
            | SpoolRecord::InOrder
            | SpoolRecord::Echoed { .. }
            | SpoolRecord::Printed { .. }
            | SpoolRecord::Cut { .. }
            | SpoolRecord::Cleared { .. }
            | SpoolRecord::Unconfirmed { .. } => self.running,
            SpoolRecord::Connecting { .. }
            | SpoolRecord::Connected { .. }
            | SpoolRecord::Asked { .. }
            | SpoolRecord::Listening { .. }
            | SpoolRecord::Resuming { .. }
            | SpoolRecord::Clearing { .. }
            | SpoolRecord::Installed { .. }
            | SpoolRecord::Forgotten { .. } => return Vec::new(),
            // News of the printer are news of every slip that waits for it.
            SpoolRecord::Lost { .. }
            | SpoolRecord::Told { .. }
            | SpoolRecord::Restarted { .. }
            | SpoolRecord::Switched { .. } => None,
        };
        let spool = self.fold.state().spool();
        let printer = std::mem::replace(&mut self.printer, spool.printer());
        let known = |slip: u64| {
            let (state, evidence, printed) = spool.evidence(slip)?;
            Some((
                slip,
                Slip {
                    state,
                    level: evidence.level(),
                    printed,
                },
            ))
        };
        let waiting = spool.unfinished_copies().map(|(slip, _)| slip);
        match (touched, record) {
            (Some(slip), _) => known(slip).into_iter().collect(),
            // What waited for the printer waits no more.
            (None, SpoolRecord::Switched { .. }) => {
                self.slips.iter().copied().filter_map(known).collect()
            }
            (None, _) if printer == self.printer => {
                self.running.and_then(known).into_iter().collect()
            }
            (None, _) => {
                let mut slips: BTreeSet<u64> = waiting.collect();
                slips.extend(self.running);
                slips.into_iter().filter_map(known).collect()
            }
        }
    }
}

impl Projection for TerminalTables {
    fn take(&mut self, row: &Row, path: &Path, keep: bool) -> Result<u64, JournalError> {
        let records = row.records::<FleetRecord>(path)?;
        records
            .iter()
            .for_each(|record| self.take_one(record, keep));
        Ok(records.len() as u64)
    }

    fn write(&mut self, archive: &Connection) -> rusqlite::Result<()> {
        for line in std::mem::take(&mut self.sales).into_values() {
            write_sale(archive, &line)?;
        }
        for (key, ending, at) in std::mem::take(&mut self.taken_back) {
            let never_debited = match ending {
                Ending::Reversed { never_debited } => Some(never_debited),
                _ => None,
            };
            archive.prepare_cached(TAKE_BACK)?.execute(params![
                key.terminal.as_str(),
                key.batch.0,
                key.stan.0,
                key.merchant.as_str(),
                at.wall.0,
                name(&ending),
                never_debited,
            ])?;
        }
        // A slip's number is made of batch and trace number.
        let stans = slip_id(Batch(1), Stan(0));
        let mut update = archive.prepare_cached(UPDATE_SLIP)?;
        for (
            (terminal, slip),
            Slip {
                state,
                level,
                printed,
            },
        ) in std::mem::take(&mut self.slips)
        {
            let (batch, stan) = ((slip / stans) as i64, (slip % stans) as i64);
            let trouble = match state {
                JobState::Held(trouble)
                | JobState::Failed(trouble)
                | JobState::Unknown(trouble)
                | JobState::Skipped(trouble) => Some(name(&trouble)),
                JobState::Queued | JobState::Printing | JobState::Done | JobState::Closed => None,
            };
            update.execute(params![
                terminal.as_str(),
                batch,
                stan,
                name(&state),
                trouble,
                level,
                printed
            ])?;
        }
        Ok(())
    }

    fn restore(&mut self, snapshot: &[u8]) -> bool {
        let Ok(states) = postcard::from_bytes::<Vec<State>>(snapshot) else {
            return false;
        };
        self.places.clear();
        for (number, state) in (0..).zip(states) {
            let mut place = Place::new();
            place.id = known_id(&state);
            place.slips = state
                .completed()
                .map(|done| done.sale.key)
                .map(|key| slip_id(key.batch, key.stan))
                .collect();
            place.printer = state.spool().printer();
            place.running = state
                .spool()
                .unfinished_copies()
                .next()
                .map(|(slip, _)| slip);
            place.fold.restore(state);
            self.places.insert(number, place);
        }
        true
    }

    fn agrees(&self, snapshot: &[u8]) -> bool {
        let Ok(states) = postcard::from_bytes::<Vec<State>>(snapshot) else {
            return false;
        };
        let fresh = Place::new();
        let same = |(number, state): (u32, &State)| {
            self.places.get(&number).unwrap_or(&fresh).fold.state() == state
        };
        self.places
            .last_key_value()
            .is_none_or(|(last, _)| (*last as usize) < states.len())
            && (0..).zip(&states).all(same)
    }

    fn watched(&mut self, watch: Watch) {
        self.watch = Some(watch);
    }

    fn audit(&self) -> Result<(), String> {
        Ok(())
    }
}

fn known_id(state: &State) -> Option<TerminalId> {
    let done = state.completed().next_back().map(|done| done.sale);
    let sale = done
        .or(state.open().map(|open| open.sale))
        .or(state.reversal().map(|reversal| reversal.sale))
        .or(state.advices().next().map(|advice| advice.sale));
    sale.map(|sale| sale.key.terminal)
}

fn write_sale(archive: &Connection, line: &Line) -> rusqlite::Result<()> {
    let Line {
        place,
        sale,
        started,
        ended,
        ending,
        last,
        attempts,
    } = line;
    let (approval, code, never_debited) = match last {
        Some(Ending::Approved(approval)) => (Some(approval), Some(approval.code), None),
        Some(Ending::Declined(code)) => (None, Some(*code), None),
        Some(Ending::Reversed { never_debited }) => (None, None, Some(*never_debited)),
        Some(Ending::NotSent | Ending::Case | Ending::Replaced) | None => (None, None, None),
    };
    archive
        .prepare_cached(UPSERT_SALE)?
        .execute(params![
            sale.key.terminal.as_str(),
            sale.key.batch.0,
            sale.key.stan.0,
            sale.key.merchant.as_str(),
            place,
            name(&sale.kind),
            sale.amount.minor as i64,
            sale.amount.currency.0,
            sale.card.masked(),
            started.wall.0,
            ended.map(|ended| ended.wall.0),
            ending,
            code.map(|code| code.to_string()),
            approval
                .and_then(|approval| approval.rrn)
                .map(|rrn| rrn.to_string()),
            approval
                .and_then(|approval| approval.approval)
                .map(|code| code.to_string()),
            approval.map(|approval| approval.amount.minor as i64),
            approval.map(|approval| approval.recovered),
            never_debited,
            attempts,
            sale.kind.row().is_advice(),
        ])
        .map(drop)
}
