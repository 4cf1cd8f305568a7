//! One world from its start to its quiet end: all nodes, one queue, a storm, then calm.
//!
//! Nothing in it depends on anything but the scenario.

use crate::cashier;
use crate::core::{Core, Event, Who};
use crate::disk::Tail;
use crate::downloads;
use crate::links::institution;
use crate::marks::Mark;
use crate::node::{Actor, AnyInput, Clock, Node};
use crate::oracle::Oracle;
use crate::prng::Prng;
use crate::scenario::Scenario;
use crate::setup::{Setup, TestCard};
use crate::till::Till;
use crate::weather::Fault;
use acquirer::Acquirer;
use issuer::Issuer;
use network::Network;
use payment::Party;
use terminal::Terminal;

/// The storm's length at most, in microseconds.
const STORM_US: u64 = 240_000_000;
/// Calm in which everything must come to rest.
pub const CALM_US: u64 = 600_000_000;
/// Between two chances for a crash, a cut, a clock step.
const GUST_US: u64 = 4_000_000;
/// More events than this for each sale is a world that never rests.
const EVENTS_PER_SALE_MAX: u64 = 20_000;
/// 2026-11-22 14:03:22 in China.
const START_MS: i64 = 1_795_327_402_000;

/// All of it.
pub struct World {
    pub core: Core,
    pub terminals: Vec<Node<Terminal>>,
    pub acquirers: Vec<Node<Acquirer>>,
    pub network: Node<Network>,
    pub issuers: Vec<Node<Issuer>>,
    pub cards: Vec<TestCard>,
    pub extended: Vec<bool>,
    pub prints: Vec<bool>,
    /// Where the network's link to each member was last told to be.
    events_max: u64,
}

/// Runs `$act` with the node of this name.
macro_rules! with_node {
    ($world:expr, $who:expr, |$node:ident, $core:ident| $act:expr) => {{
        let world = &mut *$world;
        let $core = &mut world.core;
        match $who {
            Who::Acquirer(n) => {
                let $node = &mut world.acquirers[usize::from(n)];
                $act
            }
            Who::Network => {
                let $node = &mut world.network;
                $act
            }
            Who::Issuer(n) => {
                let $node = &mut world.issuers[usize::from(n)];
                $act
            }
            Who::Terminal(n) => {
                let $node = &mut world.terminals[usize::from(n)];
                $act
            }
        }
    }};
}

impl World {
    /// What the acquirer of a terminal knows.
    pub fn acquirer_of(&self, terminal: usize) -> &acquirer::State {
        let Who::Acquirer(n) = self.core.links.home(terminal as u8) else {
            unreachable!("a home is an acquirer")
        };
        self.acquirers[usize::from(n)].party.state()
    }

    pub fn new(scenario: &Scenario, trace: bool) -> Self {
        let setup = Setup::new(scenario);
        let seed = scenario.seed;
        let terminals = setup.terminals.len();
        let tills = (0..terminals).map(|_| Till::new()).collect();
        let shop = |(n, (config, _)): (usize, &(terminal::Config, _))| {
            let acquirer = n % setup.acquirers.len();
            (config.merchant, Who::Acquirer(acquirer as u8))
        };
        let shops = setup.terminals.iter().enumerate().map(shop).collect();
        let openings = setup.cards.iter().map(|card| card.opening_minor).collect();
        let units: Vec<_> = setup.issuers.iter().map(|(bank, _)| bank.unit).collect();
        let oracle = Oracle::new(shops, openings, units);
        let core = Core::new(scenario, oracle, tills, trace);
        let mut clocks = Prng::new(seed, 0xC10C);
        let bad = scenario.weather.is_on(Fault::Clock);
        // In every third bad-clock world the day is cut while it runs.
        let base = if bad && clocks.percent(33) {
            START_MS + 32_170_000
        } else {
            START_MS
        };
        let mut clock = || Clock {
            mono_offset: 1_000_000 + clocks.below(1_000_000_000),
            drift_ppm: if bad {
                clocks.within(0, 400) as i64 - 200
            } else {
                0
            },
            wall_ms: base
                + if bad && clocks.percent(50) {
                    clocks.within(0, 259_200_000) as i64 - 129_600_000
                } else {
                    0
                },
        };
        let extended = setup
            .terminals
            .iter()
            .map(|(config, _)| config.extended)
            .collect();
        let prints = setup
            .terminals
            .iter()
            .map(|(config, _)| config.prints)
            .collect();
        let numbered = setup.terminals.into_iter().enumerate();
        let mut world = Self {
            terminals: numbered
                .map(|(n, (config, module))| {
                    Node::new(Who::Terminal(n as u8), config, module, clock(), seed)
                })
                .collect(),
            acquirers: (0..)
                .zip(setup.acquirers)
                .map(|(n, (config, module))| {
                    Node::new(Who::Acquirer(n), config, module, clock(), seed)
                })
                .collect(),
            network: Node::new(
                Who::Network,
                setup.network.0,
                setup.network.1,
                clock(),
                seed,
            ),
            issuers: (0..)
                .zip(setup.issuers)
                .map(|(n, (config, module))| {
                    Node::new(Who::Issuer(n), config, module, clock(), seed)
                })
                .collect(),
            cards: setup.cards,
            extended,
            prints,
            core,
            events_max: 50_000
                + u64::from(scenario.terminals * scenario.purchases) * EVENTS_PER_SALE_MAX,
        };
        world.start();
        world
    }

    fn nodes(&self) -> Vec<Who> {
        let issuers = (0..self.issuers.len() as u8).map(Who::Issuer);
        let terminals = (0..self.terminals.len() as u8).map(Who::Terminal);
        let acquirers = (0..self.acquirers.len() as u8).map(Who::Acquirer);
        std::iter::once(Who::Network)
            .chain(acquirers)
            .chain(issuers)
            .chain(terminals)
            .collect()
    }

    fn start(&mut self) {
        for who in self.nodes() {
            with_node!(self, who, |node, core| node.resume(core));
        }
        for at in 0..self.core.links.members.len() {
            self.core.push(1_000, Event::Dial(at as u8));
        }
        for n in 0..self.terminals.len() {
            let at = 50_000 + self.core.human.below(500_000);
            self.core.look_after(n as u8, at);
        }
        self.core.staff_begin();
        self.core.push(GUST_US / 4, Event::Gust(0));
        self.core.push(STORM_US, Event::Heal);
    }

    /// Runs it: the storm, then the calm. True when it came to rest.
    pub fn run(&mut self) -> bool {
        let mut end = STORM_US + 1;
        loop {
            let Some(event) = self.core.next(end) else {
                break;
            };
            if matches!(event, Event::Heal) {
                if self.core.stormy {
                    self.heal();
                    end = self.core.time + CALM_US;
                }
                continue;
            }
            self.happen(event);
            if self.core.stormy && self.core.cashiers.iter().all(|cashier| cashier.done) {
                self.heal();
                end = self.core.time + CALM_US;
            }
            if self.core.events > self.events_max {
                return false;
            }
        }
        // A hold that nobody completes runs out later.
        let later = self.core.healed_at + 2 * CALM_US;
        self.core.rests(|at, event| match event {
            Event::Heal => true,
            Event::Tick(Who::Issuer(_), _) => at > later,
            _ => false,
        })
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tick(who, epoch) if self.is(who, epoch) => {
                with_node!(self, who, |node, core| node.tick(core));
                self.sync(who);
            }
            Event::Flushed(who, epoch) if self.is(who, epoch) => {
                with_node!(self, who, |node, core| node.flushed(core));
                self.sync(who);
            }
            Event::Crash(who, epoch, tail) if self.is(who, epoch) => self.crash(who, tail),
            Event::Restart(who) => self.restart(who),
            Event::Frame(flying) => self.frame(&flying),
            Event::Input(who, epoch, input) if self.is(who, epoch) => {
                self.input(who, *input);
                self.sync(who);
            }
            Event::Dial(at) => self.core.dial(at),
            Event::LinkSeen(who, at, up) => self.link_seen(who, at, up),
            Event::WalletHears(asked) => self.core.wallet_hears(&asked),
            Event::CustomerDecides(order, pays) => self.core.customer_decides(order, pays),
            Event::Cashier(n) => {
                let node = &mut self.terminals[usize::from(n)];
                downloads::judge(&mut self.core, node, n);
                cashier::look(&mut self.core, node, &self.cards, n);
                self.sync(Who::Terminal(n));
            }
            Event::PrinterHears(n, connection, bytes) => {
                self.core.printer_hears(n, connection, &bytes)
            }
            Event::PrinterMended(n) => self.core.printer_mended(n),
            Event::Staff(number) => self.core.staff_look(number),
            Event::Gust(number) => self.gust(number),
            Event::Tick(..)
            | Event::Flushed(..)
            | Event::Crash(..)
            | Event::Input(..)
            | Event::Heal => {}
        }
    }

    fn is(&self, who: Who, epoch: u32) -> bool {
        let place = who.place() as usize;
        self.core.alive[place] && self.core.epochs[place] == epoch
    }

    /// The connection a terminal keeps open is the one its state waits for.
    fn sync(&mut self, who: Who) {
        if let Who::Terminal(n) = who {
            let n = usize::from(n);
            let exchange = self.terminals[n].party.state().exchange();
            self.core.links.waits[n] = exchange.map(|exchange| exchange.number);
        }
    }

    fn input(&mut self, who: Who, input: AnyInput) {
        let core = &mut self.core;
        match (who, input) {
            (Who::Acquirer(n), AnyInput::Acquirer(input)) => {
                self.acquirers[usize::from(n)].input(core, input)
            }
            (Who::Network, AnyInput::Network(input)) => self.network.input(core, input),
            (Who::Issuer(n), AnyInput::Issuer(input)) => {
                self.issuers[usize::from(n)].input(core, input)
            }
            (Who::Terminal(n), AnyInput::Terminal(input)) => {
                self.terminals[usize::from(n)].input(core, input)
            }
            _ => {}
        }
    }

    fn frame(&mut self, flying: &crate::core::Flying) {
        let who = flying.to;
        if !self.core.alive[who.place() as usize] || !self.core.arrives(flying) {
            return;
        }
        if let Who::Terminal(n) = who {
            let count = self.terminals[usize::from(n)].heard;
            if let Some(draw) =
                self.core
                    .fires(Fault::TerminalDiesBeforeWriting, 60 + u32::from(n), count)
            {
                // It has decided, and dies in the middle of writing it down.
                with_node!(self, who, |node, core| node.hear(
                    core,
                    flying.from,
                    &flying.bytes,
                    flying.tampered
                ));
                self.sync(who);
                let tail = if draw.is_multiple_of(3) {
                    Tail::Torn(draw)
                } else {
                    Tail::Lost
                };
                return self.crash(who, Some(tail));
            }
        }
        with_node!(self, who, |node, core| node.hear(
            core,
            flying.from,
            &flying.bytes,
            flying.tampered
        ));
        self.sync(who);
    }

    fn link_seen(&mut self, who: Who, at: u8, up: bool) {
        let link = &self.core.links.members[usize::from(at)];
        // Old news: the link has changed since.
        if link.up != up || !self.core.alive[who.place() as usize] {
            return;
        }
        let other = institution(if who == Who::Network {
            link.member
        } else {
            Who::Network
        });
        fn told<P: Actor>(
            node: &mut Node<P>,
            core: &mut Core,
            other: payment::Institution,
            up: bool,
        ) {
            if let Some(input) = <P as Party>::link_changed(other, up) {
                node.input(core, input);
            }
        }
        with_node!(self, who, |node, core| told(node, core, other, up));
    }

    fn crash(&mut self, who: Who, tail: Option<Tail>) {
        let place = who.place() as usize;
        if !self.core.alive[place] {
            return;
        }
        let draw = self.core.crash.next();
        // A killed process leaves its pages to the system; a power cut leaves a prefix, perhaps a torn one.
        let power = draw.is_multiple_of(2);
        let tail = tail.unwrap_or(match draw / 2 % 3 {
            _ if !power => Tail::Whole,
            0 => Tail::Lost,
            1 => Tail::Whole,
            _ => Tail::Torn(draw),
        });
        self.core.note(who, || {
            format!(
                "DIES     {}, {tail:?}",
                if power { "power cut" } else { "killed" }
            )
        });
        self.core.crashes += 1;
        with_node!(self, who, |node, _core| node.crash(tail));
        self.core.alive[place] = false;
        self.core.epochs[place] += 1;
        let notice_us = if power {
            400_000 + draw / 64 % 1_500_000
        } else {
            2_000
        };
        match who {
            Who::Terminal(n) => {
                if !self.core.oracle.stored[usize::from(n)].is_empty() {
                    self.core.mark(Mark::DiedWithAdvices);
                }
                if self.core.oracle.uploading.contains(&n) {
                    self.core.mark(Mark::DiedInUpload);
                }
                self.till_died(n, power);
            }
            _ => {
                for at in 0..self.core.links.members.len() {
                    if who == Who::Network || self.core.links.members[at].member == who {
                        self.core.hang_up(at as u8, notice_us);
                    }
                }
            }
        }
        if matches!(who, Who::Acquirer(_)) {
            self.break_exchanges(who, notice_us);
        }
        let never = match who {
            Who::Terminal(n) => {
                let number = self.core.epochs[place];
                self.core
                    .fires(Fault::TerminalNeverReturns, 80 + u32::from(n), number)
                    .is_some()
            }
            _ => false,
        };
        if never {
            self.core.mark(Mark::TerminalLostForGood);
            with_node!(self, who, |node, _core| node.gone = true);
            if let Who::Terminal(n) = who {
                self.core.cashiers[usize::from(n)].done = true;
            }
            return;
        }
        let down = [20_000, 300_000, 3_000_000, 15_000_000][draw as usize / 128 % 4];
        let at = self.core.time + 5_000 + draw / 512 % down;
        self.core.push(at, Event::Restart(who));
    }

    fn till_died(&mut self, n: u8, power: bool) {
        let at = usize::from(n);
        self.core.links.waits[at] = None;
        self.core.tills[at].lose(power);
    }

    /// Whoever waited for the acquirer hears that its connection broke; after a power cut some hear nothing.
    fn break_exchanges(&mut self, host: Who, notice_us: u64) {
        for n in (0..self.terminals.len())
            .filter(|n| self.core.links.home(*n as u8) == host)
            .collect::<Vec<_>>()
        {
            let Some(exchange) = self.core.links.waits[n] else {
                continue;
            };
            if notice_us < 100_000 || self.core.net.percent(30) {
                let lost = AnyInput::Terminal(terminal::Input::Lost { exchange });
                self.core
                    .push_input(notice_us, Who::Terminal(n as u8), lost);
            }
        }
    }

    fn restart(&mut self, who: Who) {
        let place = who.place() as usize;
        if self.core.alive[place] {
            return;
        }
        self.core.alive[place] = true;
        self.core.note(who, || "RETURNS".to_owned());
        if let Who::Acquirer(n) = who {
            self.acquirers[usize::from(n)].configure(|config| {
                let version = config.offer.versions.parameters;
                if (1..downloads::OFFERS_MAX).contains(&version) {
                    config.offer = downloads::offer(version + 1);
                }
            });
        }
        with_node!(self, who, |node, core| node.recover(core));
        self.sync(who);
        match who {
            Who::Terminal(n) => {
                let after = self.core.human.within(200_000, 3_000_000);
                self.core.look_after(n, after);
            }
            _ => {
                for at in 0..self.core.links.members.len() {
                    if who == Who::Network || self.core.links.members[at].member == who {
                        let after = self.core.net.within(1_000, 60_000);
                        self.core
                            .push(self.core.time + after, Event::Dial(at as u8));
                    }
                }
            }
        }
        // Again, while it is still recovering.
        let epoch = self.core.epochs[place];
        let fault = if place >= 8 {
            Fault::TerminalDiesBeforeWriting
        } else {
            Fault::HostDies
        };
        if let Some(draw) = self.core.fires(fault, 100 + place as u32, epoch) {
            self.core.mark(Mark::CrashInRecovery);
            self.core
                .push(self.core.time + draw % 600, Event::Crash(who, epoch, None));
        }
    }

    fn gust(&mut self, number: u32) {
        if !self.core.stormy {
            return;
        }
        for who in self.nodes() {
            let place = who.place();
            let fault = match who {
                Who::Terminal(_) => Fault::TerminalDiesAfterWriting,
                _ => Fault::HostDies,
            };
            if let Some(draw) = self.core.fires(fault, 120 + place, number) {
                let epoch = self.core.epochs[place as usize];
                self.core.push(
                    self.core.time + draw % GUST_US,
                    Event::Crash(who, epoch, None),
                );
            }
            if let Some(draw) = self.core.fires(Fault::Clock, 140 + place, number)
                && draw.is_multiple_of(8)
            {
                let step = (draw / 8 % 7_200_000) as i64 - 3_600_000;
                with_node!(self, who, |node, _core| node.clock.wall_ms += step);
            }
        }
        for at in 0..self.core.links.members.len() {
            if let Some(draw) = self.core.fires(Fault::Partition, 160 + at as u32, number) {
                let until = self.core.time + 100_000 + draw / 8 % 12_000_000;
                let link = &mut self.core.links.members[at];
                match draw % 4 {
                    0 => link.cut[0] = until,
                    1 => link.cut[1] = until,
                    2 => link.cut = [until; 2],
                    _ => {
                        link.blocked_until = until;
                        let notice_us = draw / 8 % 2_000_000;
                        self.core.hang_up(at as u8, notice_us);
                    }
                }
            }
        }
        self.core.wallet_gust(number);
        for n in 0..self.terminals.len() {
            if let Some(draw) = self.core.fires(Fault::Partition, 180 + n as u32, number) {
                self.core.links.cut[n] = self.core.time + 100_000 + draw % 12_000_000;
            }
        }
        self.core
            .push(self.core.time + GUST_US, Event::Gust(number + 1));
    }

    /// The storm is over: nothing new goes wrong, what was broken is mended, and everybody who can comes back.
    fn heal(&mut self) {
        self.core.stormy = false;
        self.core.healed_at = self.core.time;
        self.core.note_world(|| "the storm is over".to_owned());
        for link in &mut self.core.links.members {
            link.cut = [0; 2];
            link.blocked_until = 0;
        }
        self.core.links.cut.fill(0);
        self.core.provider.mend();
        for at in 0..self.core.links.members.len() {
            self.core
                .push(self.core.time + 1_000, Event::Dial(at as u8));
        }
        for n in 0..self.terminals.len() {
            self.core.printer_mended(n as u8);
        }
        for who in self.nodes() {
            let gone = with_node!(self, who, |node, _core| node.gone);
            if !gone && !self.core.alive[who.place() as usize] {
                self.core.push(self.core.time + 50_000, Event::Restart(who));
            }
        }
    }
}
