//! The hub: one task looks at the acquirer a few times a second and makes the board once, for however many viewers.
//!
//! A look is bounded: it takes the newest sales, those that are open, and a slice of the rest; never a walk over all of
//! them. What is shown was on disk before it was seen (`DriverHandle::look`).

use super::tap::Tap;
use crate::driver::DriverHandle;
use crate::link::{LinkCount, LinkFigures};
use crate::view;
use crate::web::live::Parts;
use acquirer::{Acquirer, Counters, SaleRecord};
use pages::Lang;
use pages::console::board::{self, Board, Clock, Figures, LinkCard, Listed};
use pages::console::one_sided::{Cause, Item, Queue};
use payment::evidence::{ReversalProgress, Upstream};
use payment::{MerchantId, Now, SaleKey, Wall};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Boards that are kept live at the same time.
pub const FOLLOWERS_MAX: usize = 64;
/// Milliseconds between two looks.
pub const LOOK_MS: u64 = 250;
/// Sales that one look takes as new; the rest is counted as passed.
pub const FRESH_MAX: usize = 2_048;
/// Open sales that are followed; beyond it the oldest wait for the sweep.
pub const OPEN_MAX: usize = 4_096;
/// Open sales that one look takes again.
const AGAIN_MAX: usize = 512;
/// Sales that one look sweeps for open ones of before.
const SWEPT_MAX: usize = 512;
/// Sales on the board: newest, whether open or not.
const NEWEST: usize = 60;
/// Open sales on the board beside the newest, for the filter by hop.
const OPEN_SHOWN: usize = 120;
/// Items of the queue that a page lists.
const QUEUE_MAX: usize = 500;
/// Seconds that rates and latencies are counted over.
const WINDOW_S: u64 = 60;
/// Answers that are kept for it.
const WINDOW_MAX: usize = 120_000;
/// Beads that a board may be filtered by.
const HOPS: usize = 8;

/// What is shared by all viewers.
#[derive(Clone, Debug)]
pub struct Hub {
    boards: watch::Receiver<Arc<Shown>>,
    places: Arc<Semaphore>,
}

impl Hub {
    /// Starts the task. Must be called on the runtime; it ends with the acquirer.
    pub fn start(
        acquirer: DriverHandle<Acquirer>,
        merchants: Arc<BTreeMap<MerchantId, String>>,
        tap: Tap,
    ) -> Self {
        let (sender, boards) = watch::channel(Arc::new(Shown::new()));
        tokio::spawn(async move {
            let mut seen = Seen::default();
            let mut every = tokio::time::interval(Duration::from_millis(LOOK_MS));
            every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                every.tick().await;
                let question = seen.question();
                let looked = acquirer.look(move |acquirer, now| question.look(acquirer, now));
                let Ok(looked) = looked.await else { return };
                seen.take(looked, &acquirer.link_figures());
                if sender.send(Arc::new(seen.shown(&merchants, &tap))).is_err() {
                    return;
                }
            }
        });
        Self {
            boards,
            places: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
        }
    }

    /// Places for those who follow.
    pub(super) fn places(&self) -> &Arc<Semaphore> {
        &self.places
    }

    /// Does something after each look, until the acquirer stops. Must be called on the runtime.
    pub fn at_each_look(&self, act: impl Fn() + Send + 'static) {
        let mut boards = self.boards.clone();
        tokio::spawn(async move {
            while boards.changed().await.is_ok() {
                act();
            }
        });
    }

    /// What was seen last.
    pub(super) fn shown(&self) -> Arc<Shown> {
        Arc::clone(&self.boards.borrow())
    }

    /// What will be seen; the first is what was seen last.
    pub(super) fn boards(&self) -> watch::Receiver<Arc<Shown>> {
        let mut boards = self.boards.clone();
        boards.mark_changed();
        boards
    }
}

/// A board, and its parts for each language and filter once somebody has asked for them.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) board: Board,
    pub(super) open: Vec<Arc<SaleRecord>>,
    pub(super) now: Wall,
    parts: [[OnceLock<Parts>; HOPS + 1]; 2],
}

impl Shown {
    fn new() -> Self {
        let board = Board {
            as_of: Wall(0).text(),
            figures: Figures::default(),
            sales: Vec::new(),
            passed: 0,
            links: Vec::new(),
        };
        Self::of(board, Vec::new(), Wall(0))
    }

    fn of(board: Board, open: Vec<Arc<SaleRecord>>, now: Wall) -> Self {
        Self {
            board,
            open,
            now,
            parts: Default::default(),
        }
    }

    /// The parts, made for the first who asks.
    pub(super) fn parts(&self, lang: Lang, hop: Option<usize>) -> &Parts {
        let place = hop.map_or(0, |hop| hop.min(HOPS - 1) + 1);
        self.parts[lang as usize][place].get_or_init(|| {
            let parts = board::parts(lang, &self.board, hop);
            parts
                .into_iter()
                .map(|(id, html)| (id, html.into()))
                .collect()
        })
    }

    /// Items for people.
    pub(super) fn waiting(&self) -> u64 {
        self.open.iter().filter(|sale| for_people(sale)).count() as u64
    }

    /// The one-sided queue.
    pub(super) fn queue(&self, name: impl Fn(&MerchantId) -> String) -> Queue {
        let sales = self.open.iter().map(Arc::as_ref);
        let (items, more) = self.items(sales.filter(|sale| for_people(sale)), name);
        Queue { items, more }
    }

    /// Sales as items, the clock that runs out first on top; and how many have no room.
    pub(super) fn items<'a>(
        &self,
        sales: impl Iterator<Item = &'a SaleRecord>,
        name: impl Fn(&MerchantId) -> String,
    ) -> (Vec<Item>, u64) {
        let mut sales: Vec<&SaleRecord> = sales.collect();
        sales.sort_by_key(|sale| (due(sale).map_or(i64::MAX, |due| due.0), sale.received.wall));
        let more = sales.len().saturating_sub(QUEUE_MAX) as u64;
        let item = |sale: &SaleRecord| Item {
            row: Listed {
                sale: view::of(sale, self.now),
                merchant: name(&sale.key().merchant),
            },
            cause: cause(sale),
            case: sale.evidence.case,
            clock: due(sale).map(|due| clock(due, self.now)),
            age_ms: self.now.0.saturating_sub(sale.received.wall.0).max(0) as u64,
        };
        (sales.into_iter().take(QUEUE_MAX).map(item).collect(), more)
    }
}

fn clock(due: Wall, now: Wall) -> Clock {
    Clock {
        due_ms: due.0,
        left_ms: due.0 - now.0,
    }
}

/// It stands in the queue: a case is open, or its reversal goes on.
fn for_people(sale: &SaleRecord) -> bool {
    sale.evidence.case.is_some() || sale.evidence.reversal.is_some()
}

fn due(sale: &SaleRecord) -> Option<Wall> {
    sale.evidence.due
}

/// Why it stands in the queue, when it does.
pub(super) fn queued(sale: &SaleRecord) -> Option<Cause> {
    (is_open(sale) && for_people(sale)).then(|| cause(sale))
}

/// Why a sale stands in the queue.
pub(crate) fn cause(sale: &SaleRecord) -> Cause {
    let evidence = &sale.evidence;
    match evidence.reversal.map(|reversal| reversal.progress) {
        Some(ReversalProgress::Refused(_)) => Cause::ReversalRefused,
        Some(_) => Cause::LostUpstream,
        None if sale.request.kind.row().is_advice() => Cause::Advice,
        None if evidence.one_sided => Cause::LostAtOurHop,
        None => Cause::Other,
    }
}

/// Something is still to come of it by itself or by people. A hold that stands is not followed: only a later one changes it.
fn is_open(sale: &SaleRecord) -> bool {
    let rests = sale.stands() && sale.confirm_by.is_none() && sale.evidence.case.is_none();
    !sale.is_closed() && !rests && !sale.recalled
}

/// What one look asks for.
struct Question {
    newest: Option<SaleKey>,
    again: Vec<SaleKey>,
    sweep: Option<SaleKey>,
}

/// What one look saw.
struct Looked {
    now: Now,
    fresh: Vec<Arc<SaleRecord>>,
    again: Vec<Arc<SaleRecord>>,
    /// Asked for, and forgotten by the acquirer meanwhile.
    gone: Vec<SaleKey>,
    swept: Vec<Arc<SaleRecord>>,
    /// Where the next sweep begins.
    sweep: Option<SaleKey>,
    counters: Counters,
    relay: (usize, usize),
    unconfirmed: usize,
    signed_on: bool,
}

impl Question {
    fn look(self, acquirer: &Acquirer, now: Now) -> Looked {
        let state = acquirer.state();
        let fresh = state
            .sales()
            .rev()
            .take_while(|sale| Some(sale.key()) != self.newest)
            .take(FRESH_MAX);
        let again = self.again.iter().filter_map(|key| state.sale(key));
        let gone = self.again.iter().filter(|key| state.sale(key).is_none());
        let mut sweep = None;
        let swept = state
            .sales_after(self.sweep)
            .take(SWEPT_MAX)
            .inspect(|sale| sweep = Some(sale.key()))
            .filter(|sale| is_open(sale))
            .cloned()
            .map(Arc::new)
            .collect();
        Looked {
            now,
            fresh: fresh.cloned().map(Arc::new).collect(),
            again: again.cloned().map(Arc::new).collect(),
            gone: gone.copied().collect(),
            swept,
            sweep,
            counters: state.counters(),
            relay: state.open(),
            unconfirmed: state.unconfirmed(),
            signed_on: state.signed_on(),
        }
    }
}

/// An answer in the window.
struct Answer {
    at: Wall,
    took_ms: u64,
    approved: bool,
}

/// What the hub remembers between two looks.
#[derive(Default)]
struct Seen {
    began: bool,
    now: Wall,
    newest: Option<SaleKey>,
    /// Newest first.
    recent: VecDeque<Arc<SaleRecord>>,
    open: BTreeMap<SaleKey, Arc<SaleRecord>>,
    unanswered: BTreeSet<SaleKey>,
    again: Option<SaleKey>,
    sweep: Option<SaleKey>,
    passed: u64,
    arrivals: VecDeque<Wall>,
    answers: VecDeque<Answer>,
    silent: u64,
    counters: Counters,
    relay: (usize, usize),
    unconfirmed: usize,
    signed_on: bool,
    links: Option<LinkFigures>,
}

impl Seen {
    fn question(&mut self) -> Question {
        let recent = self.recent.iter().map(|sale| sale.key());
        let mut again: BTreeSet<SaleKey> = recent.collect();
        // The open ones in turns, so that each is seen again however many there are.
        let after = self
            .again
            .map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let turn = self.open.range((after, std::ops::Bound::Unbounded));
        let turn: Vec<SaleKey> = turn.take(AGAIN_MAX).map(|(key, _)| *key).collect();
        self.again = turn.last().copied().filter(|_| turn.len() == AGAIN_MAX);
        again.extend(turn);
        Question {
            newest: self.newest,
            again: again.into_iter().collect(),
            sweep: self.sweep,
        }
    }

    fn take(&mut self, looked: Looked, links: &LinkFigures) {
        let first = !std::mem::replace(&mut self.began, true);
        self.now = looked.now.wall;
        if let Some(newest) = looked.fresh.first() {
            self.newest = Some(newest.key());
        }
        let came = looked
            .counters
            .forwarded
            .saturating_sub(self.counters.forwarded);
        self.passed = match first {
            true => 0,
            false => came.saturating_sub(looked.fresh.len().min(board::ROWS_MAX) as u64),
        };
        for sale in looked.fresh.iter().rev() {
            // What is older than the desk is shown, not counted.
            if !first {
                self.arrivals.push_back(sale.received.wall);
                self.unanswered.insert(sale.key());
            }
            self.recent.push_front(Arc::clone(sale));
        }
        self.recent.truncate(NEWEST);
        for key in &looked.gone {
            self.open.remove(key);
        }
        for sale in looked
            .fresh
            .into_iter()
            .chain(looked.again)
            .chain(looked.swept)
        {
            self.follow(sale);
        }
        self.sweep = looked.sweep;
        self.counters = looked.counters;
        self.relay = looked.relay;
        self.unconfirmed = looked.unconfirmed;
        self.signed_on = looked.signed_on;
        self.links = Some(links.clone());
        self.forget_old();
    }

    /// Takes the newer record of a sale.
    fn follow(&mut self, sale: Arc<SaleRecord>) {
        let key = sale.key();
        let upstream = matches!(
            sale.evidence.upstream,
            Upstream::Approved | Upstream::Declined(_) | Upstream::NotSent(_)
        );
        if let Some(answer) = sale
            .answer
            .filter(|_| upstream && self.unanswered.remove(&key))
        {
            self.answers.push_back(Answer {
                at: answer.at,
                took_ms: (answer.at.0 - sale.received.wall.0).max(0) as u64,
                approved: answer.code.is_success(),
            });
        }
        let silent = matches!(
            sale.evidence.upstream,
            Upstream::Silent | Upstream::NetworkGaveUp | Upstream::Interrupted
        );
        if silent && self.unanswered.remove(&key) {
            self.silent += 1;
        }
        if let Some(shown) = self.recent.iter_mut().find(|shown| shown.key() == key) {
            *shown = Arc::clone(&sale);
        }
        if !is_open(&sale) {
            self.open.remove(&key);
        } else if self.open.len() < OPEN_MAX || self.open.contains_key(&key) {
            self.open.insert(key, sale);
        }
    }

    fn forget_old(&mut self) {
        let since = Wall(self.now.0 - WINDOW_S as i64 * 1_000);
        while self.arrivals.front().is_some_and(|at| *at < since)
            || self.arrivals.len() > WINDOW_MAX
        {
            self.arrivals.pop_front();
        }
        while self.answers.front().is_some_and(|answer| answer.at < since)
            || self.answers.len() > WINDOW_MAX
        {
            self.answers.pop_front();
        }
        // An answer that never came within the window is no latency.
        while self.unanswered.len() > OPEN_MAX {
            self.unanswered.pop_first();
        }
    }

    fn shown(&self, merchants: &BTreeMap<MerchantId, String>, tap: &Tap) -> Shown {
        let listed = |sale: &Arc<SaleRecord>| Listed {
            sale: view::of(sale, self.now),
            merchant: merchants
                .get(&sale.key().merchant)
                .cloned()
                .unwrap_or_default(),
        };
        let newest: BTreeSet<SaleKey> = self.recent.iter().map(|sale| sale.key()).collect();
        let mut older: Vec<&Arc<SaleRecord>> = self
            .open
            .values()
            .filter(|sale| !newest.contains(&sale.key()))
            .collect();
        older.sort_by_key(|sale| std::cmp::Reverse(sale.received.wall));
        let older = older.into_iter().take(OPEN_SHOWN);
        let board = Board {
            as_of: self.now.text(),
            figures: self.figures(),
            sales: self.recent.iter().chain(older).map(listed).collect(),
            passed: self.passed,
            links: self.cards(tap),
        };
        Shown::of(board, self.open.values().cloned().collect(), self.now)
    }

    fn figures(&self) -> Figures {
        let mut took: Vec<u64> = self.answers.iter().map(|answer| answer.took_ms).collect();
        took.sort_unstable();
        let at = |share: usize| {
            took.get((took.len() * share).div_ceil(100).saturating_sub(1))
                .copied()
        };
        let latency_ms = match (at(50), at(95), at(99)) {
            (Some(p50), Some(p95), Some(p99)) => Some([p50, p95, p99]),
            _ => None,
        };
        let arrived = self.arrivals.len() as u64;
        let oldest = self.open.values().filter_map(|sale| due(sale)).min();
        Figures {
            window_s: WINDOW_S,
            arrived,
            per_second_tenths: arrived * 10 / WINDOW_S,
            approved: self.answers.iter().filter(|answer| answer.approved).count() as u64,
            answered: self.answers.len() as u64,
            latency_ms,
            cases: u64::from(self.counters.cases),
            forwarded: self.counters.forwarded,
            in_flight: self.relay.0 as u64,
            open: self.open.len() as u64,
            oldest: oldest.map(|due| clock(due, self.now)),
        }
    }

    fn cards(&self, tap: &Tap) -> Vec<LinkCard> {
        let count = |what| self.links.as_ref().map_or(0, |links| links.get(what));
        let (heard, echo) = tap.network();
        let ago =
            |at: Option<Wall>| at.map_or_else(|| "–".to_owned(), |at| at.text().split_off(11));
        let network = LinkCard {
            name: ("银联".to_owned(), "Network".to_owned()),
            up: self.signed_on,
            lines: vec![
                (("在途请求", "in flight"), self.relay.0.to_string()),
                (
                    ("未送达的通知", "advices undelivered"),
                    self.relay.1.to_string(),
                ),
                (
                    ("超时（自开台）", "time-outs since the desk opened"),
                    self.silent.to_string(),
                ),
                (
                    ("迟到的同意", "late approvals"),
                    self.counters.late.to_string(),
                ),
                (("最近收到", "last heard"), ago(heard)),
                (("最近回响", "last echo"), ago(echo)),
                (
                    ("断线次数", "links lost"),
                    count(LinkCount::Lost).to_string(),
                ),
            ],
        };
        let terminals = LinkCard {
            name: ("终端接入".to_owned(), "Terminals".to_owned()),
            up: true,
            lines: vec![
                (
                    ("接入次数", "connections"),
                    count(LinkCount::Accepted).to_string(),
                ),
                (
                    ("等待回报", "awaiting the till's word"),
                    self.unconfirmed.to_string(),
                ),
                (
                    ("重复请求", "repeats answered"),
                    self.counters.repeated.to_string(),
                ),
                (
                    ("收 / 发报文", "frames in / out"),
                    format!(
                        "{} / {}",
                        count(LinkCount::FramesIn),
                        count(LinkCount::FramesOut)
                    ),
                ),
            ],
        };
        vec![network, terminals]
    }
}
