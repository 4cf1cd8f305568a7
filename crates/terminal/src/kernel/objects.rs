//! Data objects of card and terminal by their tags, and the lists by which a card asks for some of them.
//!
//! Invariant: bounded in number and size, each tag once; wiped when dropped.

use super::ChipRefusal;
use crypto::{CardBytes, Pan};
use iso8583::tlv;
use payment::Track2;
use std::collections::BTreeMap;

/// Objects of one card.
const OBJECTS_MAX: usize = 96;
/// Data of one command.
const COMMAND_BYTES_MAX: usize = 252;
/// Depth of templates within templates.
const DEPTH_MAX: usize = 4;

/// Objects by tag.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects(BTreeMap<u32, CardBytes>);

/// The card sends more, or the same twice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooMuch;

impl Objects {
    pub(crate) fn get(&self, tag: u32) -> Option<&[u8]> {
        self.0.get(&tag).map(|value| &**value)
    }

    pub(crate) fn fixed<const N: usize>(&self, tag: u32) -> Option<[u8; N]> {
        self.get(tag)?.try_into().ok()
    }

    /// Adds one that is not there yet.
    pub(crate) fn put(&mut self, tag: u32, value: &[u8]) -> Result<(), TooMuch> {
        if self.0.len() >= OBJECTS_MAX || self.0.insert(tag, value.into()).is_some() {
            return Err(TooMuch);
        }
        Ok(())
    }

    /// Adds all objects of a template, those of templates within it too.
    pub(crate) fn take(&mut self, template: &[u8]) -> Result<(), ChipRefusal> {
        self.take_within(template, 0)
    }

    fn take_within(&mut self, bytes: &[u8], depth: usize) -> Result<(), ChipRefusal> {
        for object in tlv::walk(bytes) {
            let object = object.map_err(|_| ChipRefusal::Broken)?;
            match is_template(object.tag) {
                true if depth < DEPTH_MAX => self.take_within(object.value, depth + 1)?,
                true => return Err(ChipRefusal::Broken),
                false => self.put(object.tag, object.value)?,
            }
        }
        Ok(())
    }

    /// Packed digits as a number; at most 18 of them.
    pub(crate) fn number(&self, tag: u32) -> Option<u64> {
        let value = self.get(tag).filter(|value| value.len() <= 9)?;
        let mut nibbles = value.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        nibbles.try_fold(0, |sum, nibble| {
            (nibble < 10).then_some(sum * 10 + u64::from(nibble))
        })
    }

    /// Track 2 and card number, which must be the same number wherever the card writes it.
    pub(crate) fn identity(&self) -> Result<(Track2, Pan), ChipRefusal> {
        let track = self.get(0x57).ok_or(ChipRefusal::Broken)?;
        let track2 = Track2::parse(&unpacked(track)).ok_or(ChipRefusal::Broken)?;
        let pan = track2.pan().ok_or(ChipRefusal::Broken)?;
        let number = self.get(0x5A);
        if number.is_some_and(|number| Pan::parse(&unpacked(number)).as_ref() != Ok(&pan)) {
            return Err(ChipRefusal::Broken);
        }
        Ok((track2, pan))
    }
}

/// The sixth bit of the first byte: the value holds objects.
fn is_template(tag: u32) -> bool {
    let bytes = tag.to_be_bytes();
    let first = bytes.iter().find(|byte| **byte != 0);
    first.is_some_and(|byte| byte & 0x20 != 0)
}

/// Characters of packed digits, without the F that fills the last byte.
fn unpacked(bytes: &[u8]) -> CardBytes {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let characters: Vec<u8> = nibbles
        .take_while(|nibble| *nibble != 0xF)
        .map(|nibble| if nibble < 10 { b'0' + nibble } else { b'D' })
        .collect();
    CardBytes::from(&characters[..])
}

/// Tags whose values stand at the right of the place a list gives them; all others stand at the left.
const NUMERIC: [u32; 6] = [0x9F02, 0x9F03, 0x9F1A, 0x5F2A, 0x9A, 0x9C];

/// The values a list of tags and lengths asks for, one after another: what is unknown is zeros. `None` when the list is
/// none, or asks for more than a command holds.
pub(crate) fn fill(list: &[u8], terminal: &Objects, card: &Objects) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = list;
    while !rest.is_empty() {
        let (tag, length, after) = wanted(rest)?;
        rest = after;
        if out.len() + length > COMMAND_BYTES_MAX {
            return None;
        }
        let value = terminal
            .get(tag)
            .or_else(|| card.get(tag))
            .unwrap_or_default();
        let (missing, skipped) = (
            length.saturating_sub(value.len()),
            value.len().saturating_sub(length),
        );
        if NUMERIC.contains(&tag) {
            out.resize(out.len() + missing, 0);
            out.extend_from_slice(&value[skipped..]);
        } else {
            out.extend_from_slice(&value[..value.len() - skipped]);
            out.resize(out.len() + missing, 0);
        }
    }
    Some(out)
}

/// Tag and length at the beginning of a list.
fn wanted(list: &[u8]) -> Option<(u32, usize, &[u8])> {
    let (first, mut rest) = list.split_first()?;
    let mut tag = u32::from(*first);
    if first & 0x1F == 0x1F {
        let (second, after) = rest.split_first()?;
        if second & 0x80 != 0 {
            return None;
        }
        tag = tag << 8 | u32::from(*second);
        rest = after;
    }
    let (length, rest) = rest.split_first()?;
    Some((tag, usize::from(*length), rest))
}
