//! Which frames are one hop, and which hops are one loop.
//!
//! The retrieval reference number (field 37) with terminal and merchant names a loop for every party: the acquirer, which
//! draws it, and the hosts know it from the request, the terminal from the first answer about the sale, so that a terminal
//! keeps its hops until then. A sale that never got one has a trace of terminal and acquirer alone, named by its own key.
//!
//! Invariant: what is kept is bounded; what is forgotten is told as a hop without an answer.

use super::span::{Span, SpanId, TraceId};
use super::told::{Named, Told, What};
use crate::archive::{self, Role};
use payment::{Kind, Wall};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Loops and exchanges between hosts that are kept; beyond it the oldest goes.
pub(super) const KEPT_MAX: usize = 65_536;
/// Nothing is kept for longer, in milliseconds.
pub(super) const KEPT_MS: i64 = 900_000;
/// Spans told, so that none is told twice.
const TOLD_MAX: usize = 16_384;

/// Terminal, batch and trace number.
type Place = (String, u32, u32);

/// Follows the frames of one party.
#[derive(Debug)]
pub(super) struct Follower {
    role: Role,
    sales: BTreeMap<Place, Sale>,
    /// Result queries by terminal and their own trace number.
    queries: BTreeMap<(String, u32), Place>,
    hosts: BTreeMap<(Named, What), Exchange>,
    order: VecDeque<(Wall, Kept)>,
    told: BTreeSet<SpanId>,
    told_order: VecDeque<SpanId>,
}

/// What may have to be forgotten.
#[derive(Clone, Debug)]
enum Kept {
    Sale(Place),
    Hosts((Named, What)),
}

/// A sale as terminal or acquirer sees it.
#[derive(Debug)]
struct Sale {
    since: Wall,
    merchant: String,
    kind: Option<Kind>,
    rrn: Option<String>,
    trace: Option<TraceId>,
    /// Asked and not answered.
    open: BTreeMap<(What, u32), Wall>,
    /// Answered while the loop had no name.
    closed: Vec<Hop>,
}

/// An exchange between two hosts.
#[derive(Debug)]
struct Exchange {
    since: Wall,
    /// The party was asked; else it asked.
    asked: bool,
    kind: Option<Kind>,
    rrn: String,
    terminal: String,
    trace: TraceId,
}

/// A hop between terminal and acquirer.
#[derive(Debug)]
struct Hop {
    what: What,
    own: u32,
    start: Wall,
    end: Wall,
    code: Option<String>,
}

impl Follower {
    pub(super) fn new(role: Role) -> Self {
        Self {
            role,
            sales: BTreeMap::new(),
            queries: BTreeMap::new(),
            hosts: BTreeMap::new(),
            order: VecDeque::new(),
            told: BTreeSet::new(),
            told_order: VecDeque::new(),
        }
    }

    /// Takes what a frame tells; gives the hops that it ends.
    pub(super) fn take(&mut self, told: Told) -> Vec<Span> {
        let mut spans = self.forget(told.at);
        match &told.named {
            _ if !told.answer => self.asked(told),
            Named::Counter { terminal, own, of } => {
                let asked = self.queries.get(&(terminal.clone(), *own));
                let of = of.map(|(batch, stan)| (terminal.clone(), batch, stan));
                if let Some(place) = of.or_else(|| asked.cloned()) {
                    spans.extend(self.answered(&place, *own, &told));
                }
            }
            Named::Hosts(_) => spans.extend(self.host_answered(&told)),
        }
        spans.retain(|span| self.is_new(span.id));
        spans
    }

    fn is_new(&mut self, id: SpanId) -> bool {
        let new = self.told.insert(id);
        if new {
            self.told_order.push_back(id);
        }
        if self.told_order.len() > TOLD_MAX
            && let Some(oldest) = self.told_order.pop_front()
        {
            self.told.remove(&oldest);
        }
        new
    }

    fn asked(&mut self, told: Told) {
        match &told.named {
            Named::Counter {
                terminal,
                own,
                of: Some((batch, stan)),
            } => {
                let place = (terminal.clone(), *batch, *stan);
                if told.what == What::Query {
                    self.queries.insert((place.0.clone(), *own), place.clone());
                }
                self.asked_at_counter(place, *own, told);
            }
            Named::Counter { of: None, .. } => {}
            Named::Hosts(_) => self.asked_of_host(told),
        }
    }

    fn asked_at_counter(&mut self, place: Place, own: u32, told: Told) {
        let role = self.role;
        if !self.sales.contains_key(&place) {
            self.order.push_back((told.at, Kept::Sale(place.clone())));
        }
        let stan = place.2;
        // A terminal that was started again goes on with a sale whose request this run has not seen.
        let begun = (role == Role::Terminal).then_some(((What::Sale, stan), told.at));
        let sale = self.sales.entry(place).or_insert_with(|| Sale {
            since: told.at,
            merchant: told.merchant.clone().unwrap_or_default(),
            kind: None,
            rrn: None,
            trace: None,
            open: begun.into_iter().collect(),
            closed: Vec::new(),
        });
        sale.kind = sale.kind.or(told.kind);
        sale.open.entry((told.what, own)).or_insert(told.at);
    }

    fn answered(&mut self, place: &Place, own: u32, told: &Told) -> Vec<Span> {
        let role = self.role;
        let Some(sale) = self.sales.get_mut(place) else {
            return Vec::new();
        };
        let Some(start) = sale.open.remove(&(told.what, own)) else {
            return Vec::new();
        };
        sale.closed.push(Hop {
            what: told.what,
            own,
            start,
            end: told.at,
            code: told.code.clone(),
        });
        if let (None, Some(rrn)) = (sale.trace, &told.rrn) {
            sale.trace = Some(TraceId::of(&["reference", rrn, &place.0, &sale.merchant]));
            sale.rrn = Some(rrn.clone());
        }
        if sale.trace.is_none() && told.what != What::Query {
            // Nobody else can know more of it: it was refused, or withdrawn unseen.
            sale.trace = Some(sale.unnamed(place));
        }
        if sale.trace.is_none() {
            return Vec::new();
        }
        // The terminal has stopped waiting for its first answer.
        if role == Role::Terminal
            && let Some(start) = sale.open.remove(&(What::Sale, place.2))
        {
            sale.closed.push(Hop {
                what: What::Sale,
                own: place.2,
                start,
                end: told.at,
                code: None,
            });
        }
        sale.spans(role, place)
    }

    fn asked_of_host(&mut self, told: Told) {
        // What the acquirer forwards is part of its own hop.
        if self.role == Role::Acquirer && told.what == What::Sale {
            return;
        }
        let (Some(rrn), Some(terminal), Some(merchant)) = (told.rrn, told.terminal, told.merchant)
        else {
            return;
        };
        let key = (told.named, told.what);
        if self.hosts.contains_key(&key) {
            return;
        }
        self.order.push_back((told.at, Kept::Hosts(key.clone())));
        let exchange = Exchange {
            since: told.at,
            asked: !told.said,
            kind: told.kind,
            trace: TraceId::of(&["reference", &rrn, &terminal, &merchant]),
            rrn,
            terminal,
        };
        self.hosts.insert(key, exchange);
    }

    fn host_answered(&mut self, told: &Told) -> Option<Span> {
        let key = (told.named.clone(), told.what);
        // Whoever was asked answers, whoever asked is answered; an answer that passes by ends nothing.
        let known = self.hosts.get(&key)?;
        if known.asked != told.said {
            return None;
        }
        let exchange = self.hosts.remove(&key)?;
        exchange.span(self.role, &key, told.at, told.code.clone())
    }

    /// Forgets what is too old or too much, and tells of it.
    fn forget(&mut self, now: Wall) -> Vec<Span> {
        let mut spans = Vec::new();
        while let Some((since, kept)) = self.order.front().cloned() {
            if self.order.len() <= KEPT_MAX && since.0 + KEPT_MS > now.0 {
                break;
            }
            self.order.pop_front();
            match kept {
                Kept::Sale(place) => {
                    self.queries.retain(|_, of| *of != place);
                    if let Some(mut sale) = self.sales.remove(&place) {
                        sale.give_up(now);
                        sale.trace = sale.trace.or(Some(sale.unnamed(&place)));
                        spans.extend(sale.spans(self.role, &place));
                    }
                }
                Kept::Hosts(key) => {
                    let exchange = self.hosts.remove(&key);
                    spans.extend(
                        exchange.and_then(|exchange| exchange.span(self.role, &key, now, None)),
                    );
                }
            }
        }
        spans
    }
}

impl Sale {
    /// The trace of a sale that got no reference.
    fn unnamed(&self, (terminal, batch, stan): &Place) -> TraceId {
        let [batch, stan] = [batch, stan].map(u32::to_string);
        let day = self.since.day().to_string();
        TraceId::of(&["key", terminal, &self.merchant, &batch, &stan, &day])
    }

    fn give_up(&mut self, now: Wall) {
        for ((what, own), start) in std::mem::take(&mut self.open) {
            self.closed.push(Hop {
                what,
                own,
                start,
                end: now,
                code: None,
            });
        }
    }

    /// The hops that ended, once the loop has a name.
    fn spans(&mut self, role: Role, place: &Place) -> Vec<Span> {
        let Some(trace) = self.trace else {
            return Vec::new();
        };
        let sale = trace.hop(&[Role::Terminal.name(), What::Sale.name(), ""]);
        let (kind, rrn) = (self.kind.map(|kind| archive::name(&kind)), &self.rrn);
        let told = |hop: Hop| {
            let own = match hop.what {
                What::Query => hop.own.to_string(),
                What::Sale | What::Reversal => String::new(),
            };
            let id = |role: Role| trace.hop(&[role.name(), hop.what.name(), &own]);
            let parent = match (role, hop.what) {
                (Role::Terminal, What::Sale) => None,
                (Role::Terminal, _) => Some(sale),
                _ => Some(id(Role::Terminal)),
            };
            Span {
                trace,
                id: id(role),
                parent,
                name: named(role, hop.what, kind.as_deref()),
                asked: role != Role::Terminal,
                start: hop.start,
                end: hop.end,
                kind: kind.clone(),
                code: hop.code,
                terminal: place.0.clone(),
                rrn: rrn.clone(),
            }
        };
        self.closed.drain(..).map(told).collect()
    }
}

/// A reversal between hosts has another name than the one at the counter.
const ADVICE: &str = "advice";

impl Exchange {
    fn span(
        self,
        role: Role,
        (key, what): &(Named, What),
        end: Wall,
        code: Option<String>,
    ) -> Option<Span> {
        let Named::Hosts(key) = key else { return None };
        let word = match what {
            What::Sale => What::Sale.name(),
            What::Reversal | What::Query => ADVICE,
        };
        let own = |role: Role| self.trace.hop(&[role.name(), word, key]);
        let sale_of_acquirer = [Role::Acquirer.name(), What::Sale.name(), ""];
        let parent = match (role, what, self.asked) {
            (Role::Issuer, ..) => own(Role::Network),
            (Role::Network, What::Reversal, true) => own(Role::Acquirer),
            _ => self.trace.hop(&sale_of_acquirer),
        };
        let kind = self.kind.map(|kind| archive::name(&kind));
        Some(Span {
            trace: self.trace,
            id: own(role),
            parent: Some(parent),
            name: named(role, *what, kind.as_deref()),
            asked: self.asked,
            start: self.since,
            end,
            kind,
            code,
            terminal: self.terminal,
            rrn: Some(self.rrn),
        })
    }
}

/// `network purchase`, `terminal reversal`.
fn named(role: Role, what: What, kind: Option<&str>) -> String {
    let did = match what {
        What::Sale => kind.unwrap_or(What::Sale.name()),
        What::Reversal | What::Query => what.name(),
    };
    format!("{} {did}", role.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAN: u32 = 17;

    fn told(at: i64, said: bool, what: What, own: u32, answer: Option<Option<&str>>) -> Told {
        let of = (what != What::Query || answer.is_none()).then_some((1, STAN));
        Told {
            at: Wall(at),
            said,
            what,
            answer: answer.is_some(),
            named: Named::Counter {
                terminal: "T0000001".to_owned(),
                own,
                of,
            },
            terminal: Some("T0000001".to_owned()),
            merchant: Some("898100053110001".to_owned()),
            rrn: answer.flatten().map(str::to_owned),
            kind: Some(Kind::Purchase),
            code: answer.map(|_| "00".to_owned()),
        }
    }

    /// Name, start, end and whether there was an answer, of each span.
    type Seen<'a> = (&'a str, i64, i64, bool);

    #[track_caller]
    fn check(role: Role, frames: &[Told], expected: &[Seen<'_>]) -> Vec<Span> {
        let mut follower = Follower::new(role);
        let spans: Vec<Span> = frames
            .iter()
            .cloned()
            .flat_map(|frame| follower.take(frame))
            .collect();
        let seen: Vec<Seen<'_>> = spans
            .iter()
            .map(|span| {
                (
                    span.name.as_str(),
                    span.start.0,
                    span.end.0,
                    span.code.is_some(),
                )
            })
            .collect();
        assert_eq!(seen, expected);
        assert!(spans.windows(2).all(|pair| pair[0].trace == pair[1].trace));
        spans
    }

    #[test]
    fn hops_wait_for_the_name_of_their_loop_and_are_told_once() {
        use What::{Query, Reversal, Sale};
        let (rrn, nothing) = (Some(Some("077900000001")), Some(None));
        let sale = told(1, true, Sale, STAN, None);
        let paid = told(5, false, Sale, STAN, rrn);
        let late = told(9, false, Sale, STAN, rrn);
        let approved = check(
            Role::Terminal,
            &[sale.clone(), paid, late.clone()],
            &[("terminal purchase", 1, 5, true)],
        );
        let asked = told(20, true, Query, 18, None);
        let again = told(30, true, Query, 19, None);
        let recovered = check(
            Role::Terminal,
            &[
                sale.clone(),
                asked.clone(),
                told(25, false, Query, 18, nothing),
                again.clone(),
                told(33, false, Query, 19, rrn),
                late,
            ],
            &[
                ("terminal query", 20, 25, true),
                ("terminal query", 30, 33, true),
                ("terminal purchase", 1, 33, false),
            ],
        );
        // Whatever named it, it is the same loop; and each query is a hop of its own.
        assert_eq!(approved[0].id, recovered[2].id);
        assert_ne!(recovered[0].id, recovered[1].id);
        // Nobody ever gave it a number.
        let withdrawn = [
            sale.clone(),
            told(40, true, Reversal, STAN, None),
            told(44, false, Reversal, STAN, nothing),
        ];
        let unseen = check(
            Role::Terminal,
            &withdrawn,
            &[
                ("terminal reversal", 40, 44, true),
                ("terminal purchase", 1, 44, false),
            ],
        );
        assert_ne!(unseen[0].trace, approved[0].trace);
        // Nothing is kept for ever.
        let other = Told {
            named: Named::Hosts("1/1/1/1".to_owned()),
            ..told(1 + KEPT_MS, true, Sale, STAN, nothing)
        };
        check(
            Role::Terminal,
            &[sale, asked, other],
            &[
                ("terminal purchase", 1, 1 + KEPT_MS, false),
                ("terminal query", 20, 1 + KEPT_MS, false),
            ],
        );
    }
}
