//! A party for these tests: it writes down what it hears and says it back, and that is all it does.

use counterfoil::driver::{Driver, Local, Settings};
use crypto::SoftwareModule;
use iso8583::frame::{
    HostHeader, TerminalHeader, open_host, open_terminal, seal_host, seal_terminal,
};
use payment::{
    Decision, EdgeError, Institution, Machine, Mono, Now, Party, Peer, Said, Surroundings,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What the party is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// A frame's body.
    Heard(Peer, Vec<u8>),
    /// Say `1` to a peer.
    Say(Peer, u64),
    /// Tell the outside something that is no frame.
    Tell(u64),
    /// Wake up so many milliseconds from now.
    Alarm(u64),
    /// A frame did not leave.
    Undelivered(u64),
    /// A link changed.
    Link(Institution, bool),
    /// An assertion breaks while deciding.
    Break,
    /// An assertion breaks while applying.
    BreakState,
    /// A deadline has passed.
    Tick,
    /// After a replay.
    Resumed,
}

/// What it writes down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Record {
    /// It heard this number.
    Heard(u64),
    /// It said this number.
    Said(u64),
    /// It told this number.
    Told(u64),
    /// An alarm was set or has gone off.
    Alarm(Option<Mono>),
    /// This number did not leave.
    Undelivered(u64),
    /// A link changed.
    Link(u64, bool),
    /// Applying breaks.
    Break,
    /// It was started.
    Resumed,
}

/// What the driver must do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Write a body to a peer, with the number to report if it does not leave.
    Say(Peer, Vec<u8>, u64),
    /// Not a frame.
    Tell(u64),
}

/// What its records add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// How often each number was heard.
    pub heard: BTreeMap<u64, u64>,
    /// Sum over what was heard, in order.
    pub fold: u64,
    /// Numbers said.
    pub said: Vec<u64>,
    /// Numbers told.
    pub told: Vec<u64>,
    /// The alarm that is set.
    pub alarm: Option<Mono>,
    /// Alarms gone off.
    pub alarms: u64,
    /// Numbers that did not leave.
    pub undelivered: Vec<u64>,
    /// Link changes.
    pub links: Vec<(u64, bool)>,
    /// Starts.
    pub starts: u64,
}

/// The party.
#[derive(Debug)]
pub struct Echo {
    /// It remembers every number heard; off for measuring.
    pub remembers: bool,
    /// The institution in the header of its host frames.
    pub institution: &'static [u8],
    state: State,
}

impl Echo {
    /// A party with an empty state.
    pub fn new() -> Self {
        Self {
            remembers: true,
            institution: b"77",
            state: State::default(),
        }
    }
}

/// Starts an echo with a journal at `path`.
pub fn start(path: &Path) -> Driver<Echo> {
    start_with(
        Echo::new(),
        Settings::new(path.to_owned(), "echo", "test"),
        Box::new(|_| {}),
    )
}

/// Starts an echo with everything given.
pub fn start_with(echo: Echo, settings: Settings, local: Local<Echo>) -> Driver<Echo> {
    Driver::start(
        echo,
        Box::new(SoftwareModule::new([7; 32])),
        settings,
        local,
    )
    .expect("the echo starts")
}

/// The body that carries a number.
pub fn body(number: u64) -> Vec<u8> {
    let mut body = vec![0x40; 20];
    body[..8].copy_from_slice(&number.to_be_bytes());
    body
}

/// The number of a body.
pub fn number(body: &[u8]) -> u64 {
    body[..8].try_into().map_or(0, u64::from_be_bytes)
}

/// A terminal's frame with a number.
pub fn terminal_frame(n: u64) -> Vec<u8> {
    let mut frame = Vec::new();
    seal_terminal::<iso8583::Error>(&TerminalHeader::COMMON, &mut frame, |out| {
        out.extend(body(n));
        Ok(())
    })
    .expect("it is short enough");
    frame
}

/// A host's frame with a number.
pub fn host_frame(from: &[u8], n: u64) -> Vec<u8> {
    let mut frame = Vec::new();
    seal_host::<iso8583::Error>(&HostHeader::new(b"99", from), &mut frame, |out| {
        out.extend(body(n));
        Ok(())
    })
    .expect("it is short enough");
    frame
}

impl Machine for Echo {
    type Input = Input;
    type Record = Record;
    type Effect = Effect;

    fn decide(&self, now: Now, input: Input) -> Decision<Record, Effect> {
        let mut decision = Decision::nothing();
        match input {
            Input::Heard(from, body) => {
                let n = number(&body);
                decision
                    .record(Record::Heard(n))
                    .effect(Effect::Say(from, body, n));
            }
            Input::Say(to, n) => {
                decision
                    .record(Record::Said(n))
                    .effect(Effect::Say(to, body(n), n));
            }
            Input::Tell(n) => {
                decision.record(Record::Told(n)).effect(Effect::Tell(n));
            }
            Input::Alarm(after_ms) => {
                decision.record(Record::Alarm(Some(now.mono.plus_ms(after_ms))));
            }
            Input::Tick => {
                if self.state.alarm.is_some_and(|at| at <= now.mono) {
                    decision.record(Record::Alarm(None));
                }
            }
            Input::Undelivered(n) => {
                decision.record(Record::Undelivered(n));
            }
            Input::Link(member, up) => {
                decision.record(Record::Link(member.0, up));
            }
            Input::Break => panic!("a test breaks an assertion"),
            Input::BreakState => {
                decision.record(Record::Break);
            }
            Input::Resumed => {
                decision.record(Record::Resumed);
            }
        }
        decision
    }

    fn apply(&mut self, record: &Record) {
        let state = &mut self.state;
        match record {
            Record::Heard(n) => {
                state.fold = state.fold.wrapping_mul(31).wrapping_add(*n);
                if self.remembers {
                    *state.heard.entry(*n).or_default() += 1;
                }
            }
            Record::Said(n) => state.said.push(*n),
            Record::Told(n) => state.told.push(*n),
            Record::Alarm(at) => {
                state.alarms += u64::from(at.is_none());
                state.alarm = *at;
            }
            Record::Undelivered(n) => state.undelivered.push(*n),
            Record::Link(member, up) => state.links.push((*member, *up)),
            Record::Break => panic!("a test breaks an assertion"),
            Record::Resumed => state.starts += 1,
        }
    }

    fn deadline(&self) -> Option<Mono> {
        self.state.alarm
    }
}

impl Party for Echo {
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }

    fn restore(&mut self, state: State) {
        self.state = state;
    }

    fn hear(&self, _: &Surroundings<'_>, from: Peer, frame: &[u8]) -> Result<Input, EdgeError> {
        let body = match from {
            Peer::Exchange(_) => open_terminal(frame)?.1,
            Peer::Member(_) => open_host(frame)?.1,
        };
        match number(body) {
            u64::MAX => Err(EdgeError::Stranger),
            n if n == u64::MAX - 1 => Ok(Input::Break),
            _ => Ok(Input::Heard(from, body.to_vec())),
        }
    }

    fn say(
        &self,
        _: &Surroundings<'_>,
        effect: &Effect,
        frame: &mut Vec<u8>,
    ) -> Result<Option<Said<Input>>, EdgeError> {
        let Effect::Say(to, body, n) = effect else {
            return Ok(None);
        };
        let write = |out: &mut Vec<u8>| {
            out.extend_from_slice(body);
            Ok::<_, EdgeError>(())
        };
        match to {
            Peer::Exchange(_) => seal_terminal(&TerminalHeader::COMMON, frame, write)?,
            Peer::Member(_) => seal_host(&HostHeader::new(b"99", self.institution), frame, write)?,
        }
        Ok(Some(Said {
            to: *to,
            if_undelivered: Some(Input::Undelivered(*n)),
        }))
    }

    fn tick() -> Input {
        Input::Tick
    }

    fn resumed() -> Input {
        Input::Resumed
    }

    fn link_changed(member: Institution, up: bool) -> Option<Input> {
        Some(Input::Link(member, up))
    }
}
