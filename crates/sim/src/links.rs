//! Connections and what happens to frames on them: lost, doubled, late, out of order, changed, cut off.
//!
//! A sender hears that a frame was not delivered only where it certainly did not leave.

use crate::core::{Core, Event, Flying, Who};
use crate::marks::Mark;
use crate::node::{AnyInput, Tag};
use crate::setup::{ACQUIRERS, ISSUERS, NETWORK};
use crate::weather::Fault;
use iso8583::{Dialect, Message, Mti};
use payment::{Institution, Peer};

/// A terminal's connection for one exchange, as the acquirer numbers it.
#[derive(Clone, Copy, Debug)]
pub struct Conn {
    pub terminal: u8,
    pub number: u64,
    terminal_epoch: u32,
    acquirer_epoch: u32,
}

/// The long-lived link of one member.
#[derive(Clone, Debug)]
pub struct Link {
    pub member: Who,
    pub up: bool,
    pub generation: u32,
    /// Until when each way is cut silently: to the network, from it.
    pub cut: [u64; 2],
    sent: [u32; 2],
    arrived: [u64; 2],
    /// Nobody can connect before.
    pub blocked_until: u64,
}

/// Everything between nodes.
#[derive(Clone, Debug)]
pub struct Links {
    pub members: Vec<Link>,
    acquirers: usize,
    conns: Vec<Conn>,
    /// The exchange each terminal waits for.
    pub waits: Vec<Option<u64>>,
    pub cut: Vec<u64>,
    asked: Vec<u32>,
    answered: Vec<u32>,
}

impl Links {
    pub fn new(acquirers: usize, issuers: usize, terminals: usize) -> Self {
        let link = |member| Link {
            member,
            up: false,
            generation: 0,
            cut: [0; 2],
            sent: [0; 2],
            arrived: [0; 2],
            blocked_until: 0,
        };
        let banks = (0..issuers).map(|n| Who::Issuer(n as u8));
        Self {
            members: (0..acquirers as u8)
                .map(Who::Acquirer)
                .chain(banks)
                .map(link)
                .collect(),
            acquirers,
            conns: Vec::new(),
            waits: vec![None; terminals],
            cut: vec![0; terminals],
            asked: vec![0; terminals],
            answered: vec![0; terminals],
        }
    }

    /// The acquirer of a terminal.
    pub fn home(&self, terminal: u8) -> Who {
        Who::Acquirer(terminal % self.acquirers as u8)
    }

    /// The link between two nodes.
    fn between(&self, from: Who, to: Institution) -> (usize, usize) {
        match from {
            Who::Acquirer(n) => (usize::from(n), 0),
            Who::Issuer(n) => (self.acquirers + usize::from(n), 0),
            _ => match ACQUIRERS.iter().position(|acquirer| *acquirer == to) {
                Some(n) => (n, 1),
                None => (
                    self.acquirers + ISSUERS.iter().position(|issuer| *issuer == to).unwrap_or(0),
                    1,
                ),
            },
        }
    }
}

pub fn institution(member: Who) -> Institution {
    match member {
        Who::Acquirer(n) => ACQUIRERS[usize::from(n)],
        Who::Issuer(n) => ISSUERS[usize::from(n)],
        _ => NETWORK,
    }
}

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Towards the issuer.
    Out,
    FromIssuer,
    FromNetwork,
    FromAcquirer,
}

/// One frame's fate.
struct Fate {
    lost: bool,
    delay: u64,
    /// It may be overtaken.
    free: bool,
    copy: Option<u64>,
    tampered: bool,
}

impl Core {
    /// A frame leaves.
    pub fn send(
        &mut self,
        from: Who,
        to: Peer,
        frame: Vec<u8>,
        tag: Tag,
        if_undelivered: Option<AnyInput>,
    ) {
        self.frames += 1;
        if self.traced() {
            let text = crate::trace::frame_text(
                matches!(from, Who::Terminal(_)) || matches!(to, Peer::Exchange(_)),
                &frame,
            );
            self.note(from, || format!("sends    {text}"));
        }
        if let (Tag::SaleAnswer(name, Some(said)), Peer::Exchange(_)) = (tag, to)
            && let Some(sale) = self.oracle.named(name)
        {
            self.acquirer_says(sale, said);
        }
        match (from, to) {
            (Who::Terminal(terminal), Peer::Exchange(number)) => {
                self.ask(terminal, number, frame, tag, if_undelivered);
            }
            (_, Peer::Exchange(conn)) => self.answer(conn, frame, tag, if_undelivered),
            (_, Peer::Member(to)) => self.send_member(from, to, frame, tag, if_undelivered),
        }
    }

    fn ask(
        &mut self,
        terminal: u8,
        number: u64,
        mut frame: Vec<u8>,
        tag: Tag,
        if_undelivered: Option<AnyInput>,
    ) {
        let at = usize::from(terminal);
        self.links.asked[at] += 1;
        let place = 20 + u32::from(terminal) * 2;
        let me = Who::Terminal(terminal);
        if let Tag::Sale(name) = tag {
            self.oracle.sent(name, 0, self.time);
        }
        let home = self.links.home(terminal);
        let host = home.place() as usize;
        if !self.alive[host] || self.links.cut[at] > self.time {
            // Refused, or nobody answers the connection: either way nothing left.
            let wait = if self.alive[host] { 200_000 } else { 2_000 };
            if let Some(input) = if_undelivered {
                self.push_input(wait, me, input);
            }
            return;
        }
        let fate = self.fate(Way::Out, place, self.links.asked[at], tag, &mut frame);
        if fate.lost {
            return self.lose(terminal, number);
        }
        for delay in [Some(fate.delay), fate.copy].into_iter().flatten() {
            // A copy comes on a connection of its own, on which nobody waits.
            let own = delay == fate.delay;
            self.links.conns.push(Conn {
                terminal,
                number: if own { number } else { u64::MAX },
                terminal_epoch: self.epochs[me.place() as usize],
                acquirer_epoch: self.epochs[host],
            });
            let from = Peer::Exchange(self.links.conns.len() as u64 - 1);
            self.fly(
                home,
                from,
                self.epochs[host],
                delay,
                frame.clone(),
                fate.tampered,
            );
        }
    }

    fn answer(
        &mut self,
        conn: u64,
        mut frame: Vec<u8>,
        tag: Tag,
        if_undelivered: Option<AnyInput>,
    ) {
        let Some(conn) = self.links.conns.get(conn as usize).copied() else {
            return;
        };
        let at = usize::from(conn.terminal);
        let me = Who::Terminal(conn.terminal);
        let epoch = self.epochs[me.place() as usize];
        let home = self.links.home(conn.terminal);
        let open = conn.acquirer_epoch == self.epochs[home.place() as usize]
            && conn.terminal_epoch == epoch
            && self.links.waits[at] == Some(conn.number);
        if !open {
            if let Some(input) = if_undelivered {
                self.push_input(500, home, input);
            }
            return;
        }
        self.links.answered[at] += 1;
        let place = 21 + u32::from(conn.terminal) * 2;
        if self.links.cut[at] > self.time {
            return;
        }
        let fate = self.fate(
            Way::FromAcquirer,
            place,
            self.links.answered[at],
            tag,
            &mut frame,
        );
        if fate.lost {
            return self.lose(conn.terminal, conn.number);
        }
        let from = Peer::Exchange(conn.number);
        for delay in [Some(fate.delay), fate.copy].into_iter().flatten() {
            self.fly(me, from, epoch, delay, frame.clone(), fate.tampered);
        }
    }

    /// A lost frame: some connections break, others just stay silent.
    fn lose(&mut self, terminal: u8, exchange: u64) {
        if self.net.percent(30) {
            let after = self.net.within(1_000, 200_000);
            let lost = terminal::Input::Lost { exchange };
            self.push_input(after, Who::Terminal(terminal), AnyInput::Terminal(lost));
        }
    }

    fn send_member(
        &mut self,
        from: Who,
        to: Institution,
        mut frame: Vec<u8>,
        tag: Tag,
        if_undelivered: Option<AnyInput>,
    ) {
        let (at, way) = self.links.between(from, to);
        let link = &mut self.links.members[at];
        link.sent[way] += 1;
        let (number, generation, receiver) = (
            link.sent[way],
            link.generation,
            [Who::Network, link.member][way],
        );
        if let Tag::Sale(name) = tag {
            self.oracle
                .sent(name, if from == Who::Network { 2 } else { 1 }, self.time);
        }
        let link = &self.links.members[at];
        if !link.up {
            if let Some(input) = if_undelivered {
                self.push_input(300, from, input);
            }
            return;
        }
        if link.cut[way] > self.time {
            return;
        }
        let direction = match from {
            Who::Issuer(_) if matches!(tag, Tag::SaleAnswer(..) | Tag::ReversalAnswer) => {
                Way::FromIssuer
            }
            Who::Network if matches!(receiver, Who::Acquirer(_)) => Way::FromNetwork,
            _ => Way::Out,
        };
        let fate = self.fate(
            direction,
            at as u32 * 2 + way as u32,
            number,
            tag,
            &mut frame,
        );
        if fate.lost {
            return;
        }
        let sender = Peer::Member(institution(from));
        for delay in [Some(fate.delay), fate.copy].into_iter().flatten() {
            let link = &mut self.links.members[at];
            let mut arrival = self.time + delay;
            if !fate.free {
                arrival = arrival.max(link.arrived[way]);
                link.arrived[way] = arrival;
            }
            self.fly(
                receiver,
                sender,
                generation,
                arrival - self.time,
                frame.clone(),
                fate.tampered,
            );
        }
    }

    fn fly(&mut self, to: Who, from: Peer, life: u32, delay: u64, bytes: Vec<u8>, tampered: bool) {
        let flying = Flying {
            to,
            from,
            life,
            bytes,
            tampered,
        };
        self.push(self.time + delay, Event::Frame(Box::new(flying)));
    }

    /// Whether a frame's connection is still the one it was sent on.
    pub fn arrives(&self, flying: &Flying) -> bool {
        match flying.from {
            Peer::Exchange(number) => match flying.to {
                Who::Terminal(n) => {
                    self.epochs[flying.to.place() as usize] == flying.life
                        && self.links.waits[usize::from(n)] == Some(number)
                }
                to => self.epochs[to.place() as usize] == flying.life,
            },
            Peer::Member(from) => {
                let (at, _) = match flying.to {
                    Who::Network => self.links.between(Who::Network, from),
                    to => self.links.between(to, from),
                };
                let link = &self.links.members[at];
                link.up && link.generation == flying.life
            }
        }
    }

    fn fate(&mut self, way: Way, place: u32, number: u32, tag: Tag, frame: &mut [u8]) -> Fate {
        let mut fate = Fate {
            lost: false,
            delay: 500 + self.net.below(9_500),
            free: false,
            copy: None,
            tampered: false,
        };
        if !self.stormy {
            return fate;
        }
        let loss = match (tag, way) {
            (Tag::Reversal | Tag::ReversalAnswer, _) => Fault::ReversalLost,
            (_, Way::Out) => Fault::RequestLost,
            (_, Way::FromIssuer) => Fault::IssuerAnswerLost,
            (_, Way::FromNetwork) => Fault::NetworkAnswerLost,
            (_, Way::FromAcquirer) => Fault::AcquirerAnswerLost,
        };
        if self.fires(loss, place, number).is_some() {
            fate.lost = true;
            self.mark_lost(tag);
            return fate;
        }
        if let Some(draw) = self.fires(Fault::Slow, place, number) {
            fate.delay +=
                [20_000, 200_000, self.answer_us][draw as usize % 3] * (draw / 3 % 100) / 50;
            fate.free = draw.is_multiple_of(2);
        }
        if way != Way::Out
            && let Some(draw) = self.fires(Fault::LateAnswer, place, number)
        {
            fate.delay = self.late(way, tag, draw);
            fate.free = true;
        }
        if let Some(draw) = self.fires(Fault::Duplicate, place, number) {
            let after = [3_000, 60_000, 2_500_000, self.answer_us][draw as usize % 4];
            fate.copy = Some(fate.delay + 1 + draw / 4 % after);
            fate.free = true;
        }
        if let Some(draw) = self.fires(Fault::Corruption, place, number) {
            let terminal = matches!(way, Way::FromAcquirer) || place >= 20;
            fate.tampered = tamper(frame, terminal, draw) && tag != Tag::Other;
            if let (Tag::Batch { mac: false }, true) = (tag, fate.tampered) {
                fate.tampered = false;
                self.oracle.garbled.insert(till_of(place));
            }
        }
        fate
    }

    fn mark_lost(&mut self, tag: Tag) {
        let (name, mark) = match tag {
            Tag::Batch { .. } => return self.mark(Mark::BatchLost),
            Tag::Sale(name) => (name, Mark::AdviceLost),
            Tag::SaleAnswer(name, _) => (name, Mark::AdviceAnswerLost),
            _ => return,
        };
        let number = self.oracle.named(name);
        if number.is_some_and(|number| self.oracle.sales[number as usize].is_advice()) {
            self.mark(mark);
        }
    }

    /// A delay that ends within a millisecond of the waiting party's time-out, or well after it.
    fn late(&mut self, way: Way, tag: Tag, draw: u64) -> u64 {
        let (hop, wait_ms) = match way {
            Way::FromIssuer => (2, self.ladder.network_ms),
            Way::FromNetwork => (1, self.ladder.acquirer_ms),
            _ => (0, self.ladder.terminal_ms),
        };
        let sent = match tag {
            Tag::SaleAnswer(name, _) => self.oracle.sent_at(name, hop),
            _ => None,
        };
        let left = (sent.unwrap_or(self.time) + wait_ms * 1_000).saturating_sub(self.time);
        match draw % 3 {
            0 | 1 => (left + draw / 3 % 2_000).saturating_sub(1_000).max(1),
            _ => left + draw / 3 % (wait_ms * 2_000),
        }
    }

    /// Both ends alive and nothing in between: the link comes up.
    pub fn dial(&mut self, at: u8) {
        let link = &self.links.members[usize::from(at)];
        if link.up {
            return;
        }
        let both = self.alive[1] && self.alive[link.member.place() as usize];
        if !both {
            return;
        }
        if link.blocked_until > self.time {
            let until = link.blocked_until;
            return self.push(until, Event::Dial(at));
        }
        let link = &mut self.links.members[usize::from(at)];
        link.up = true;
        link.generation += 1;
        let member = link.member;
        for who in [Who::Network, member] {
            let after = self.net.within(200, 3_000);
            self.push(self.time + after, Event::LinkSeen(who, at, true));
        }
    }

    /// The connection is gone; each end that is alive learns of it after a while.
    pub fn hang_up(&mut self, at: u8, notice_us: u64) {
        let link = &mut self.links.members[usize::from(at)];
        if !link.up {
            return;
        }
        link.up = false;
        let member = link.member;
        for who in [Who::Network, member] {
            self.push(self.time + notice_us, Event::LinkSeen(who, at, false));
        }
        self.push(self.time + notice_us + 5_000, Event::Dial(at));
    }
}

/// The till at one of the places of frames between tills and acquirers.
fn till_of(place: u32) -> u8 {
    ((place - 20) / 2) as u8
}

/// Changes a frame; true when what its MAC covers differs.
fn tamper(frame: &mut [u8], terminal: bool, draw: u64) -> bool {
    let header = if terminal { 13 } else { 50 };
    let length = frame.len();
    if length < header + 20 {
        return false;
    }
    let bit = 1 << (draw / 8 % 8);
    match draw % 4 {
        0 | 1 if rewrite(frame, terminal, draw) => true,
        2 => {
            frame[length - 1 - (draw / 64) as usize % 8] ^= bit;
            true
        }
        // Between hosts the MAC covers some fields only (reference §5.5), so that others may change unseen.
        _ => {
            let from = if terminal { header } else { length - 8 };
            frame[from + (draw / 64) as usize % (length - from)] ^= bit;
            true
        }
    }
}

/// What a thief would do: a decline becomes an approval, an amount another one, under the old MAC.
fn rewrite(frame: &mut [u8], terminal: bool, draw: u64) -> bool {
    let mut message = Message::new(Mti(0));
    let mut body = Vec::new();
    let start = if terminal {
        let Ok((_, found)) = iso8583::frame::open_terminal(frame) else {
            return false;
        };
        if Dialect::terminal().decode(found, &mut message).is_err() {
            return false;
        }
        frame.len() - found.len()
    } else {
        let Ok((_, found)) = iso8583::frame::open_host(frame) else {
            return false;
        };
        if Dialect::host().decode(found, &mut message).is_err() {
            return false;
        }
        frame.len() - found.len()
    };
    match (message.get(39), message.get(4)) {
        (Some(code), _) if draw.is_multiple_of(2) => {
            let other: &[u8] = if code == b"00" { b"51" } else { b"00" };
            message.set(39, other);
        }
        (_, Some(amount)) => {
            let mut other = amount.to_vec();
            let last = other.len() - 3;
            other[last] = if other[last] == b'9' {
                b'0'
            } else {
                other[last] + 1
            };
            message.set(4, &other);
        }
        _ => return false,
    }
    let dialect = if terminal {
        Dialect::terminal()
    } else {
        Dialect::host()
    };
    if dialect.encode(&message, &mut body).is_err() || body.len() != frame.len() - start {
        return false;
    }
    frame[start..].copy_from_slice(&body);
    true
}
