//! A row of terminals that share one journal and one driver: a party made of parties.
//!
//! Each terminal keeps its own exchange numbers; towards the driver they are told apart by the upper bits.

use payment::{
    Decision, EdgeError, Institution, Machine, Mono, Now, Party, Peer, Said, Surroundings,
    TerminalId,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use terminal::{Config, Terminal};

/// Bits of an exchange number that belong to the terminal itself.
const EXCHANGE_BITS: u32 = 40;

/// The row.
#[derive(Debug)]
pub struct Fleet {
    row: Row,
    places: BTreeMap<TerminalId, u32>,
    due: BTreeSet<(Mono, u32)>,
    scheduled: Vec<Option<Mono>>,
}

/// An input of one terminal, or of all.
#[derive(Debug)]
pub enum Input {
    /// Every terminal that is due.
    Tick,
    /// Every terminal, after a replay.
    Resumed,
    /// One terminal, by its place in the row.
    One(u32, Box<terminal::Input>),
}

/// A record of one terminal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Its place in the row.
    pub place: u32,
    /// The record.
    pub record: terminal::Record,
}

/// An effect of one terminal.
#[derive(Debug)]
pub struct Effect {
    /// Its place in the row.
    pub place: u32,
    /// The effect.
    pub effect: terminal::Effect,
}

impl Fleet {
    /// Terminals that have never spoken.
    pub fn new(configs: Vec<Config>) -> Self {
        let places = configs
            .iter()
            .enumerate()
            .map(|(n, c)| (c.terminal, n as u32))
            .collect();
        let scheduled = vec![None; configs.len()];
        Self {
            row: Row(configs
                .into_iter()
                .map(|c| Place::Running(Box::new(Terminal::new(c))))
                .collect()),
            places,
            due: BTreeSet::new(),
            scheduled,
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.row.0.len()
    }

    /// True for an empty row.
    pub fn is_empty(&self) -> bool {
        self.row.0.is_empty()
    }

    /// Place of a terminal.
    pub fn place(&self, terminal: TerminalId) -> Option<u32> {
        self.places.get(&terminal).copied()
    }

    /// The terminal at a place.
    pub fn terminal(&self, place: u32) -> Option<&Terminal> {
        match self.row.0.get(place as usize) {
            Some(Place::Running(terminal)) => Some(terminal),
            _ => None,
        }
    }

    /// Every terminal.
    pub fn terminals(&self) -> impl Iterator<Item = &Terminal> {
        (0..self.len() as u32).filter_map(|place| self.terminal(place))
    }

    fn decide_one(
        &self,
        now: Now,
        place: u32,
        input: terminal::Input,
        decided: &mut Decision<Record, Effect>,
    ) {
        let Some(terminal) = self.terminal(place) else {
            return;
        };
        let one = terminal.decide(now, input);
        decided.records.extend(
            one.records
                .into_iter()
                .map(|record| Record { place, record }),
        );
        decided.effects.extend(
            one.effects
                .into_iter()
                .map(|effect| Effect { place, effect }),
        );
    }

    fn reschedule(&mut self, place: u32) {
        let next = self.terminal(place).and_then(Terminal::deadline);
        let Some(scheduled) = self.scheduled.get_mut(place as usize) else {
            return;
        };
        if let Some(before) = std::mem::replace(scheduled, next) {
            self.due.remove(&(before, place));
        }
        if let Some(at) = next {
            self.due.insert((at, place));
        }
    }
}

impl Machine for Fleet {
    type Input = Input;
    type Record = Record;
    type Effect = Effect;

    fn decide(&self, now: Now, input: Input) -> Decision<Record, Effect> {
        let mut decided = Decision::nothing();
        match input {
            Input::Tick => {
                for (_, place) in self.due.iter().take_while(|(at, _)| *at <= now.mono) {
                    self.decide_one(now, *place, terminal::Input::Tick, &mut decided);
                }
            }
            Input::Resumed => {
                for place in 0..self.len() as u32 {
                    self.decide_one(now, place, terminal::Input::Resumed, &mut decided);
                }
            }
            Input::One(place, input) => self.decide_one(now, place, *input, &mut decided),
        }
        decided
    }

    fn apply(&mut self, record: &Record) {
        if let Some(Place::Running(terminal)) = self.row.0.get_mut(record.place as usize) {
            terminal.apply(&record.record);
        }
        self.reschedule(record.place);
    }

    fn deadline(&self) -> Option<Mono> {
        self.due.first().map(|(at, _)| *at)
    }
}

impl Party for Fleet {
    type State = Row;

    fn state(&self) -> &Row {
        &self.row
    }

    fn restore(&mut self, state: Row) {
        for (place, restored) in state.0.into_iter().enumerate() {
            if let (Some(Place::Running(terminal)), Place::Restored(state)) =
                (self.row.0.get_mut(place), restored)
            {
                terminal.restore(*state);
            }
            self.reschedule(place as u32);
        }
    }

    fn hear(
        &self,
        around: &Surroundings<'_>,
        from: Peer,
        frame: &[u8],
    ) -> Result<Input, EdgeError> {
        let Peer::Exchange(number) = from else {
            return Err(EdgeError::Stranger);
        };
        let (place, own) = exchange_parts(number);
        let terminal = self.terminal(place).ok_or(EdgeError::Stranger)?;
        terminal
            .hear(around, Peer::Exchange(own), frame)
            .map(|input| Input::One(place, Box::new(input)))
    }

    fn say(
        &self,
        around: &Surroundings<'_>,
        effect: &Effect,
        frame: &mut Vec<u8>,
    ) -> Result<Option<Said<Input>>, EdgeError> {
        let Some(terminal) = self.terminal(effect.place) else {
            return Ok(None);
        };
        let said = terminal.say(around, &effect.effect, frame)?;
        Ok(said.map(|said| Said {
            to: match said.to {
                Peer::Exchange(number) => Peer::Exchange(exchange(effect.place, number)),
                member @ Peer::Member(_) => member,
            },
            if_undelivered: said
                .if_undelivered
                .map(|input| Input::One(effect.place, Box::new(input))),
        }))
    }

    fn tick() -> Input {
        Input::Tick
    }

    fn resumed() -> Input {
        Input::Resumed
    }

    fn link_changed(_member: Institution, _up: bool) -> Option<Input> {
        None
    }
}

/// The driver's number of a terminal's exchange.
pub const fn exchange(place: u32, number: u64) -> u64 {
    (place as u64) << EXCHANGE_BITS | number
}

/// The place and the terminal's own number of an exchange.
pub const fn exchange_parts(number: u64) -> (u32, u64) {
    (
        (number >> EXCHANGE_BITS) as u32,
        number & ((1 << EXCHANGE_BITS) - 1),
    )
}

/// The states of the row, as a snapshot keeps them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Row(Vec<Place>);

/// One place: a running terminal, or the state of one as a snapshot gave it.
#[derive(Debug)]
enum Place {
    Running(Box<Terminal>),
    Restored(Box<terminal::State>),
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Running(terminal) => terminal.state().serialize(serializer),
            Self::Restored(state) => state.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        terminal::State::deserialize(deserializer).map(|state| Self::Restored(Box::new(state)))
    }
}
