//! The network as a machine: each input goes to the file of its noun.
//!
//! `decide` changes nothing; a deadline exists exactly while something is in flight or undelivered.

use crate::config::Directory;
use crate::{Config, Counters, Effect, Heard, Input, Record, State, Undelivered};
use crypto::WrappedKey;
use payment::host::{Answer, AnswerKind};
use payment::{Decision, HostKey, Institution, Machine, Mono, Now, Wall};

pub(crate) type Decided = Decision<Record, Effect>;

/// The switch between members.
#[derive(Clone, Debug)]
pub struct Network {
    pub(crate) config: Config,
    pub(crate) directory: Directory,
    pub(crate) state: State,
    #[cfg(feature = "planted")]
    pub(crate) bug: Option<crate::Bug>,
}

impl Network {
    /// A network that has not heard anything yet.
    pub fn new(config: Config) -> Self {
        Self {
            directory: Directory::new(&config),
            config,
            state: State::default(),
            #[cfg(feature = "planted")]
            bug: None,
        }
    }

    /// How it is set up.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Requests whose answer is awaited.
    pub fn in_flight(&self) -> usize {
        self.state.relay.counts().0
    }

    /// Reversals that no issuer has confirmed yet.
    pub fn undelivered(&self) -> usize {
        self.state.relay.counts().1
    }

    /// Those reversals, in key order.
    pub fn undelivered_items(&self) -> impl Iterator<Item = Undelivered> + '_ {
        self.state.undelivered()
    }

    /// Whether the member is signed on.
    pub fn signed_on(&self, member: Institution) -> bool {
        self.state
            .sessions
            .get(&member)
            .is_some_and(|session| session.signed_on)
    }

    /// How often what happened.
    pub fn counters(&self) -> &Counters {
        &self.state.counters
    }

    /// Answers under the member's current MAC key.
    pub(crate) fn answer(&self, answer: Answer, to: Institution, decided: &mut Decided) {
        let session = self.state.sessions.get(&to);
        if let Some(keys) = session.and_then(|session| session.current) {
            decided.effect(Effect::Answer {
                to,
                answer: Box::new(answer),
                mac: Some(keys.mac),
            });
        }
    }

    /// The MAC key of a member that can be reached.
    pub(crate) fn reach(&self, member: Institution) -> Option<WrappedKey> {
        let session = self.state.sessions.get(&member)?;
        session.reachable().map(|keys| keys.mac)
    }

    /// The key of a message of the network's own, and the trace number it uses up.
    pub(crate) fn own_key(&self, wall: Wall, acquirer: Institution, after: u32) -> HostKey {
        let key = HostKey {
            transmission: wall.transmission(),
            stan: State::stan_after(after),
            acquirer,
            forwarder: self.config.institution,
        };
        // The wall clock may jump back while the trace number has gone round.
        match self.state.advices.contains_key(&key) || self.state.confirmed.contains_key(&key) {
            true => self.own_key(wall, acquirer, key.stan.0),
            false => key,
        }
    }

    /// The last trace number of the network's own, those of this decision included.
    pub(crate) fn last_stan(&self, decided: &Decided) -> u32 {
        let taken = decided.records.iter().rev().find_map(Record::own_stan);
        taken.unwrap_or(self.state.stan)
    }

    fn hear_member(&self, now: Now, from: Institution, heard: Heard) -> Decided {
        match heard {
            Heard::Financial {
                sale,
                secrets,
                route,
                receiver,
                pin_zone,
            } => self.financial(now, sale, secrets, [route, receiver], pin_zone),
            Heard::Reversal {
                reversal,
                route,
                receiver,
            } => self.advice(now, reversal, [route, receiver]),
            Heard::Management { request, issued } => self.management(now, from, request, issued),
            Heard::Answer(answer) => match answer.kind {
                AnswerKind::Financial => self.financial_answer(now, from, answer),
                AnswerKind::Reversal => self.advice_answer(now, from, answer),
                AnswerKind::Management => self.management_answer(now, from, answer),
            },
        }
    }
}

impl Machine for Network {
    type Input = Input;
    type Record = Record;
    type Effect = Effect;

    fn decide(&self, now: Now, input: Input) -> Decided {
        match input {
            Input::Heard { from, heard } => self.hear_member(now, from, *heard),
            Input::WrongMac { key } => self.wrong_mac(now, key),
            Input::NotSent { key } => self.not_sent(now, key),
            Input::ResetKeys { member, issued } => self.offer_keys(now, member, issued),
            Input::Link { member, up } => self.link(now, member, up),
            Input::Tick => self.tick(now),
            Input::Resumed => self.resume(now),
        }
    }

    fn apply(&mut self, record: &Record) {
        self.state.apply(record);
    }

    fn deadline(&self) -> Option<Mono> {
        self.state.relay.deadline()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_its_own_differ_also_when_the_trace_number_goes_round() {
        let network = Network::new(Config::new(Institution(10_000)));
        let key = |after| network.own_key(Wall(0), Institution(1), after);
        assert_ne!(key(0), key(1));
        assert_eq!(key(999_999).stan, payment::Stan(1));
    }
}
