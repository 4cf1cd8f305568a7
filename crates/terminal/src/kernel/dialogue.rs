//! Commands to a card and its answers (ISO 7816-4): select, start, read records, generate a cryptogram.
//!
//! Invariant: an answer is data and two status bytes, and everything else is no answer.

use super::ChipRefusal;
use super::objects::{Objects, fill};
use crypto::{CardBytes, ChipCard};
use iso8583::tlv;

/// Whoever brings commands to a card: a reader, or a card in software. No bytes mean that the card is gone or mute.
pub trait CardReader {
    /// One command, one answer.
    fn exchange(&mut self, command: &[u8]) -> CardBytes;
}

impl CardReader for ChipCard {
    fn exchange(&mut self, command: &[u8]) -> CardBytes {
        ChipCard::exchange(self, command)
    }
}

/// Types of cryptogram, as in the first parameter of GENERATE AC and in tag 9F27.
pub(crate) const DECLINE: u8 = 0x00;
pub(crate) const APPROVE: u8 = 0x40;
pub(crate) const ONLINE: u8 = 0x80;
const TYPE: u8 = 0xC0;

/// Status bytes.
pub(crate) const DONE: u16 = 0x9000;
pub(crate) const NO_SUCH_APPLICATION: u16 = 0x6A82;
pub(crate) const APPLICATION_BLOCKED: u16 = 0x6283;
pub(crate) const CARD_BLOCKED: u16 = 0x6A81;

/// Records that are read of one card.
const RECORDS_MAX: usize = 32;

/// An answer with its status.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    bytes: CardBytes,
}

impl Reply {
    pub(crate) fn data(&self) -> &[u8] {
        &self.bytes[..self.bytes.len() - 2]
    }

    /// The data of a command that was done.
    fn done(self) -> Result<Self, ChipRefusal> {
        match self.status {
            DONE => Ok(self),
            _ => Err(ChipRefusal::Broken),
        }
    }
}

/// One command; `None` when nothing that is an answer comes.
pub(crate) fn send(card: &mut dyn CardReader, header: [u8; 4], data: &[u8]) -> Option<Reply> {
    let mut command = header.to_vec();
    if !data.is_empty() {
        command.push(u8::try_from(data.len()).ok()?);
        command.extend_from_slice(data);
    }
    send_whole(card, &command)
}

/// A command that is whole already.
pub(crate) fn send_whole(card: &mut dyn CardReader, command: &[u8]) -> Option<Reply> {
    let bytes = card.exchange(command);
    let status = bytes.last_chunk::<2>().copied()?;
    Some(Reply {
        status: u16::from_be_bytes(status),
        bytes,
    })
}

/// SELECT by name.
pub(crate) fn select(card: &mut dyn CardReader, name: &[u8]) -> Option<Reply> {
    send(card, [0x00, 0xA4, 0x04, 0x00], name)
}

/// What the card signed: its answer to GENERATE AC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// Two top bits of tag 9F27.
    pub(crate) kind: u8,
    pub(crate) counter: [u8; 2],
    pub(crate) cryptogram: [u8; 8],
    /// Tag 9F10, at most 32 bytes.
    pub(crate) issuer_data: Vec<u8>,
}

/// Longest issuer application data.
const ISSUER_DATA_MAX: usize = 32;

impl Signed {
    /// From a template of tags.
    fn of(objects: &Objects) -> Option<Self> {
        let issuer_data = objects.get(0x9F10)?;
        let counter = objects.fixed(0x9F36)?;
        let kind = match objects.fixed::<1>(0x9F27) {
            Some([information]) => information & TYPE,
            None => return None,
        };
        (issuer_data.len() <= ISSUER_DATA_MAX).then_some(())?;
        Some(Self {
            kind,
            counter,
            cryptogram: objects.fixed(0x9F26)?,
            issuer_data: issuer_data.to_vec(),
        })
    }

    /// From the plain form: information, counter, cryptogram and issuer data one after another.
    fn plain(bytes: &[u8]) -> Option<Self> {
        let [information, high, low, rest @ ..] = bytes else {
            return None;
        };
        let (cryptogram, issuer_data) = rest.split_first_chunk::<8>()?;
        (issuer_data.len() <= ISSUER_DATA_MAX).then_some(())?;
        Some(Self {
            kind: information & TYPE,
            counter: [*high, *low],
            cryptogram: *cryptogram,
            issuer_data: issuer_data.to_vec(),
        })
    }

    /// Value of one of the card's own tags.
    pub(crate) fn get(&self, tag: u32) -> Option<&[u8]> {
        match tag {
            0x9F26 => Some(&self.cryptogram),
            0x9F27 => Some(core::slice::from_ref(&self.kind)),
            0x9F10 => Some(&self.issuer_data),
            0x9F36 => Some(&self.counter),
            _ => None,
        }
    }
}

/// GET PROCESSING OPTIONS and the records that the card names. A contactless card signs at once.
pub(crate) fn start(
    card: &mut dyn CardReader,
    list: &[u8],
    values: &Objects,
    objects: &mut Objects,
) -> Result<Option<Signed>, ChipRefusal> {
    let data = fill(list, values, &Objects::default()).ok_or(ChipRefusal::Broken)?;
    let mut options = Vec::new();
    tlv::write(&mut options, 0x83, &data);
    let reply = send(card, [0x80, 0xA8, 0x00, 0x00], &options).ok_or(ChipRefusal::Unreadable)?;
    let reply = reply.done()?;
    match only(reply.data()) {
        Some((0x77, template)) => objects.take(template)?,
        Some((0x80, [first, second, files @ ..])) => {
            objects.put(0x82, &[*first, *second])?;
            objects.put(0x94, files)?;
        }
        _ => return Err(ChipRefusal::Broken),
    }
    let files = objects.get(0x94).unwrap_or_default().to_vec();
    read_records(card, &files, objects)?;
    Ok(Signed::of(objects))
}

/// The only object there is.
fn only(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut objects = tlv::walk(bytes);
    let object = objects.next()?.ok()?;
    objects
        .next()
        .is_none()
        .then_some((object.tag, object.value))
}

/// READ RECORD for each entry of the file locator: file, first, last, and how many are signed.
fn read_records(
    card: &mut dyn CardReader,
    files: &[u8],
    objects: &mut Objects,
) -> Result<(), ChipRefusal> {
    let (entries, rest) = files.as_chunks::<4>();
    let mut left = RECORDS_MAX;
    if !rest.is_empty() {
        return Err(ChipRefusal::Broken);
    }
    for [file, first, last, _] in entries {
        for record in *first..=*last {
            left = left.checked_sub(1).ok_or(ChipRefusal::Broken)?;
            let place = file & 0xF8 | 0x04;
            let reply = send(card, [0x00, 0xB2, record, place], &[]).ok_or(ChipRefusal::Broken)?;
            match only(reply.done()?.data()) {
                Some((0x70, template)) => objects.take(template)?,
                _ => return Err(ChipRefusal::Broken),
            }
        }
    }
    Ok(())
}

/// GENERATE AC. A card may give less than it is asked for, never more.
pub(crate) fn generate(
    card: &mut dyn CardReader,
    asked: u8,
    data: &[u8],
) -> Result<Signed, ChipRefusal> {
    let reply = send(card, [0x80, 0xAE, asked, 0x00], data).ok_or(ChipRefusal::Broken)?;
    let reply = reply.done()?;
    let signed = match only(reply.data()) {
        Some((0x77, template)) => {
            let mut objects = Objects::default();
            objects.take(template)?;
            Signed::of(&objects)
        }
        Some((0x80, bytes)) => Signed::plain(bytes),
        _ => None,
    };
    let signed = signed.ok_or(ChipRefusal::Broken)?;
    let less = signed.kind == asked || signed.kind == DECLINE;
    if less {
        Ok(signed)
    } else {
        Err(ChipRefusal::Broken)
    }
}
