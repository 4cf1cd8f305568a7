//! What a frame tells of a loop: who asks or answers what, and by which names. Of its other fields nothing is kept.

use iso8583::field60::Field60;
use iso8583::field61::Field61;
use iso8583::frame::Framing;
use iso8583::{Message, Mti, guess};
use payment::kind::Codes;
use payment::{Kind, Wall};

/// What is asked or answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// The transaction itself.
    Sale,
    /// Its reversal.
    Reversal,
    /// What became of it: a result query.
    Query,
}

impl What {
    /// Its name in spans.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Reversal => "reversal",
            Self::Query => "query",
        }
    }
}

/// By which names an exchange is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    /// Between terminal and acquirer: field 41, field 11 of the message itself, and batch and trace number of the
    /// transaction, which the answer to a query leaves out.
    Counter {
        terminal: String,
        own: u32,
        of: Option<(u32, u32)>,
    },
    /// Between hosts: fields 7, 11, 32 and 33.
    Hosts(String),
}

/// What a frame tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) at: Wall,
    /// The party said it; else it heard it.
    pub(super) said: bool,
    pub(super) what: What,
    pub(super) answer: bool,
    pub(super) named: Named,
    /// Field 41, where it stands.
    pub(super) terminal: Option<String>,
    /// Field 42, where it stands.
    pub(super) merchant: Option<String>,
    /// Field 37: of this transaction, not of the earlier one that a request may name.
    pub(super) rrn: Option<String>,
    pub(super) kind: Option<Kind>,
    /// Field 39 of an answer.
    pub(super) code: Option<String>,
}

/// Reads a frame; none when it is about no transaction.
pub(super) fn read(at: Wall, said: bool, bytes: &[u8]) -> Option<Told> {
    let (dialect, layer) = guess(bytes)?;
    let body = layer.body(dialect, bytes)?;
    let mut message = Message::new(Mti(0));
    dialect.decode_lenient(body, &mut message).ok()?;
    let counter = dialect.framing() == Some(Framing::Terminal);
    let Mti(mti) = message.mti();
    let answer = mti & 0x0010 != 0;
    let what = match mti >> 8 {
        0x01 | 0x02 => What::Sale,
        0x04 => What::Reversal,
        0x06 if counter => What::Query,
        _ => return None,
    };
    let named = match counter {
        true => at_counter(&message, what)?,
        false => between_hosts(&message)?,
    };
    let own = |field| message.text(field).map(|text| text.trim().to_owned());
    Some(Told {
        at,
        said,
        what,
        answer,
        named,
        terminal: own(41),
        merchant: own(42),
        // At the counter a request's field 37 is that of its original.
        rrn: own(37).filter(|_| answer || !counter),
        kind: if answer {
            None
        } else {
            kind(&message, counter, what)
        },
        code: own(39).filter(|_| answer),
    })
}

fn small(message: &Message, field: u8) -> Option<u32> {
    message
        .number(field)
        .and_then(|number| u32::try_from(number).ok())
}

fn at_counter(message: &Message, what: What) -> Option<Named> {
    let field60 = Field60::parse(message.get(60)?).ok()?;
    let own = small(message, 11)?;
    let of = match what {
        What::Query => {
            if field60.network_code != Kind::ResultQuery.row().network_code {
                return None;
            }
            let original = message.get(61).and_then(|value| Field61::parse(value).ok());
            original.map(|original| (original.batch, original.stan))
        }
        What::Sale | What::Reversal => Some((field60.batch, own)),
    };
    let terminal = message.text(41)?.trim().to_owned();
    Some(Named::Counter { terminal, own, of })
}

fn between_hosts(message: &Message) -> Option<Named> {
    let [transmission, stan, acquirer, forwarder] =
        [7, 11, 32, 33].map(|field| message.number(field));
    Some(Named::Hosts(format!(
        "{}/{}/{}/{}",
        transmission?,
        stan?,
        acquirer?,
        forwarder.or(acquirer)?
    )))
}

fn kind(message: &Message, counter: bool, what: What) -> Option<Kind> {
    let processing = small(message, 3);
    let condition = small(message, 25).and_then(|condition| u8::try_from(condition).ok());
    if !counter {
        return Kind::of_host(message.mti(), processing?, condition?);
    }
    let field60 = Field60::parse(message.get(60)?).ok()?;
    let codes = Codes {
        processing,
        condition,
        transaction_type: field60.transaction_type,
        network_code: field60.network_code,
        scanned: message
            .get(22)
            .is_some_and(|entry| entry.starts_with(b"03")),
    };
    match what {
        What::Sale => Kind::of_request(message.mti(), &codes),
        What::Reversal => Kind::of_reversal(&codes),
        What::Query => None,
    }
}
