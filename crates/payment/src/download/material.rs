//! The items themselves: parameters as tags of digits, keys and applications as data objects (reference §3.9).
//!
//! Invariant: what was read is whole; an error names the item and the tag.

use crypto::public_key_checksum;
use iso8583::tlv;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Items of one list: two digits count them.
pub const ITEMS_MAX: usize = 99;
/// Longest modulus of a scheme's key: 1984 bits.
pub const MODULUS_BYTES_MAX: usize = 248;
/// Longest default list of data objects, tag DF14.
const OBJECT_LIST_MAX: usize = 64;

/// What is wrong with an item, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaterialError {
    /// Which item, as far as it could be read.
    pub item: String,
    /// The tag; 0 when the objects themselves do not read.
    pub tag: u32,
    /// What is wrong with it.
    pub what: &'static str,
}

impl fmt::Display for MaterialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tag {
            0 => write!(f, "{}: {}", self.item, self.what),
            tag => write!(f, "{}: tag {tag:02X} {}", self.item, self.what),
        }
    }
}

impl std::error::Error for MaterialError {}

const MISSING: &str = "is missing";
const WRONG_LENGTH: &str = "has a length that it may not have";
const WRONG_DIGITS: &str = "is no number";
const BROKEN: &str = "the data objects do not read";
const WRONG_CHECKSUM: &str = "is not the checksum of this key";
const TOO_MANY: &str = "there are too many";
const NOT_KNOWN: &str = "names what is not known";

/// Scheme and index of a public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyName {
    /// Tag 9F06: the scheme.
    pub rid: [u8; 5],
    /// Tag 9F22.
    pub index: u8,
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(f, &self.rid)?;
        write!(f, "/{:02X}", self.index)
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Name of an application, or its beginning: 5 to 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Aid {
    length: u8,
    bytes: [u8; 16],
}

impl Aid {
    /// 5 to 16 bytes.
    pub fn new(name: &[u8]) -> Option<Self> {
        let mut bytes = [0; 16];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        (name.len() >= 5).then_some(Self {
            length: name.len() as u8,
            bytes,
        })
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length.min(16))]
    }
}

impl fmt::Display for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(f, self.bytes())
    }
}

impl fmt::Debug for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
}

/// Parameters that a terminal goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// Tag 18.
    pub tips: TipRule,
    /// Tag 23: further rounds in which unanswered messages of a settlement are sent again, 1 to 9.
    pub resends: u8,
    /// Tag 26: which kinds are offered; bit 1 is the highest of the first byte.
    pub switches: u32,
}

/// Tag 18.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TipRule {
    /// 0: none.
    None,
    /// 1: a tip is added to a purchase.
    Tip,
    /// 2: the amount of a purchase is adjusted.
    Adjust,
}

impl Default for Parameters {
    /// Everything is offered.
    fn default() -> Self {
        Self {
            tips: TipRule::Tip,
            resends: 3,
            switches: u32::MAX,
        }
    }
}

/// Tags of the parameters and their lengths (reference §3.9); those that this terminal does not go by are read over.
const PARAMETER_LENGTHS: [(&[u8; 2], usize); 18] = [
    (b"11", 2),
    (b"12", 2),
    (b"13", 1),
    (b"14", 14),
    (b"15", 14),
    (b"16", 14),
    (b"17", 14),
    (b"18", 1),
    (b"19", 2),
    (b"20", 1),
    (b"21", 1),
    (b"22", 40),
    (b"23", 1),
    (b"24", 1),
    (b"25", 1),
    (b"26", 4),
    (b"27", 2),
    (b"51", 12),
];

impl Parameters {
    /// Field 62: tags of two digits, each with a value of its own length. What is not there stays as it is by default.
    ///
    /// # Errors
    /// A tag that is not known, a value that is cut off or none.
    pub fn read(field62: &[u8]) -> Result<Self, MaterialError> {
        let mut read = Self::default();
        let mut rest = field62;
        while !rest.is_empty() {
            let refuse = |tag: &[u8], what| MaterialError {
                item: format!("parameter {}", String::from_utf8_lossy(tag)),
                tag: 0,
                what,
            };
            let (tag, after) = rest
                .split_first_chunk::<2>()
                .ok_or_else(|| refuse(rest, BROKEN))?;
            let row = PARAMETER_LENGTHS.iter().find(|(known, _)| *known == tag);
            let (_, length) = row.ok_or_else(|| refuse(tag, NOT_KNOWN))?;
            let (value, after) = after
                .split_at_checked(*length)
                .ok_or_else(|| refuse(tag, WRONG_LENGTH))?;
            match (tag, value) {
                (b"18", [b'0']) => read.tips = TipRule::None,
                (b"18", [b'1']) => read.tips = TipRule::Tip,
                (b"18", [b'2']) => read.tips = TipRule::Adjust,
                // 0 means 1.
                (b"23", [digit @ b'0'..=b'9']) => read.resends = (digit - b'0').max(1),
                (b"26", [a, b, c, d]) => read.switches = u32::from_be_bytes([*a, *b, *c, *d]),
                (b"18" | b"23", _) => return Err(refuse(tag, WRONG_DIGITS)),
                _ => {}
            }
            rest = after;
        }
        Ok(read)
    }

    /// Field 62.
    pub fn write(&self) -> Vec<u8> {
        let tips = match self.tips {
            TipRule::None => 0,
            TipRule::Tip => 1,
            TipRule::Adjust => 2,
        };
        let mut out = format!("116018{tips}23{}26", self.resends.clamp(1, 9)).into_bytes();
        out.extend_from_slice(&self.switches.to_be_bytes());
        out
    }

    /// A kind with this switch (reference §3.9) is offered; 0 is none, and then it always is.
    pub const fn offers(&self, switch: u8) -> bool {
        switch == 0 || switch > 32 || self.switches & (1 << (32 - switch)) != 0
    }
}

/// A scheme's public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// Scheme and index.
    pub name: KeyName,
    /// DF05, `YYYYMMDD`; 0 is not limited.
    pub expiry: u32,
    /// DF06: 1 is SHA-1.
    pub hash_algorithm: u8,
    /// DF07: 1 is RSA.
    pub algorithm: u8,
    /// DF02.
    pub modulus: Vec<u8>,
    /// DF04.
    pub exponent: Vec<u8>,
    /// DF03: SHA-1 over scheme, index, modulus and exponent (EMV book 2 §11.2.2).
    pub checksum: [u8; 20],
}

impl PublicKey {
    /// The data objects of one key.
    ///
    /// # Errors
    /// An object that is missing or wrong, or a checksum that is not that of this key.
    pub fn read(objects: &[u8]) -> Result<Self, MaterialError> {
        let unnamed = Objects {
            item: "public key".to_owned(),
            bytes: objects,
        };
        let name = KeyName {
            rid: unnamed.fixed(0x9F06)?,
            index: unnamed.fixed::<1>(0x9F22)?[0],
        };
        let objects = Objects {
            item: format!("public key {name}"),
            bytes: objects,
        };
        let key = Self {
            name,
            expiry: objects.date(0xDF05)?,
            hash_algorithm: objects.fixed::<1>(0xDF06)?[0],
            algorithm: objects.fixed::<1>(0xDF07)?[0],
            modulus: objects.bounded(0xDF02, 64..=MODULUS_BYTES_MAX)?.to_vec(),
            exponent: objects.bounded(0xDF04, 1..=3)?.to_vec(),
            checksum: objects.fixed(0xDF03)?,
        };
        if key.hash_algorithm != 1 || key.algorithm != 1 {
            let tag = if key.algorithm == 1 { 0xDF06 } else { 0xDF07 };
            return Err(objects.refuse(tag, NOT_KNOWN));
        }
        let parts: [&[u8]; 4] = [&name.rid, &[name.index], &key.modulus, &key.exponent];
        if public_key_checksum(&parts) != key.checksum {
            return Err(objects.refuse(0xDF03, WRONG_CHECKSUM));
        }
        Ok(key)
    }

    /// The data objects, in the order of reference §3.9.
    pub fn write(&self) -> Vec<u8> {
        let mut out = write_key_name(self.name);
        tlv::write(&mut out, 0xDF05, format!("{:08}", self.expiry).as_bytes());
        tlv::write(&mut out, 0xDF06, &[self.hash_algorithm]);
        tlv::write(&mut out, 0xDF07, &[self.algorithm]);
        tlv::write(&mut out, 0xDF02, &self.modulus);
        tlv::write(&mut out, 0xDF04, &self.exponent);
        tlv::write(&mut out, 0xDF03, &self.checksum);
        out
    }

    pub(super) fn list_entry(&self) -> Vec<u8> {
        let mut out = write_key_name(self.name);
        tlv::write(&mut out, 0xDF05, format!("{:08}", self.expiry).as_bytes());
        out
    }
}

/// An application that a chip reader serves; its objects by their tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// 9F06.
    pub aid: Aid,
    /// DF01 is 1: the card's name must be the same, not only begin so.
    pub exact: bool,
    /// 9F08 or 9F09: version.
    pub version: [u8; 2],
    /// DF11: action code default.
    pub action_default: [u8; 5],
    /// DF12: action code online.
    pub action_online: [u8; 5],
    /// DF13: action code denial.
    pub action_denial: [u8; 5],
    /// 9F1B: floor limit, in fen.
    pub floor_limit_minor: u64,
    /// DF15: threshold of random selection.
    pub threshold: [u8; 4],
    /// DF16: most percent of random selection.
    pub percent_max: u8,
    /// DF17: percent of random selection.
    pub percent: u8,
    /// DF14: default list of data objects for dynamic authentication.
    pub object_list: Vec<u8>,
    /// DF18: a PIN can go to the issuer.
    pub online_pin: bool,
    /// 9F7B: limit of electronic cash, in fen.
    pub cash_limit_minor: u64,
    /// DF19: contactless floor limit, in fen.
    pub contactless_floor_minor: u64,
    /// DF20: above it a tap is refused, in fen.
    pub contactless_limit_minor: u64,
    /// DF21: up to it a tap needs no PIN, in fen.
    pub contactless_free_minor: u64,
}

impl Application {
    /// The data objects of one application.
    ///
    /// # Errors
    /// An object that is missing or wrong.
    pub fn read(objects: &[u8]) -> Result<Self, MaterialError> {
        let unnamed = Objects {
            item: "application".to_owned(),
            bytes: objects,
        };
        let aid = Aid::new(
            unnamed
                .get(0x9F06)?
                .ok_or_else(|| unnamed.refuse(0x9F06, MISSING))?,
        )
        .ok_or_else(|| unnamed.refuse(0x9F06, WRONG_LENGTH))?;
        let objects = Objects {
            item: format!("application {aid}"),
            bytes: objects,
        };
        let version = match objects.get(0x9F08)? {
            Some(_) => 0x9F08,
            None => 0x9F09,
        };
        let [exact] = objects.fixed(0xDF01)?;
        let [online_pin] = objects.fixed(0xDF18)?;
        Ok(Self {
            aid,
            exact: exact != 0,
            version: objects.fixed(version)?,
            action_default: objects.fixed(0xDF11)?,
            action_online: objects.fixed(0xDF12)?,
            action_denial: objects.fixed(0xDF13)?,
            floor_limit_minor: u64::from(u32::from_be_bytes(objects.fixed(0x9F1B)?)),
            threshold: objects.fixed(0xDF15)?,
            percent_max: objects.fixed::<1>(0xDF16)?[0],
            percent: objects.fixed::<1>(0xDF17)?[0],
            object_list: objects.bounded(0xDF14, 0..=OBJECT_LIST_MAX)?.to_vec(),
            online_pin: online_pin & 1 != 0,
            cash_limit_minor: objects.amount(0x9F7B)?,
            contactless_floor_minor: objects.amount(0xDF19)?,
            contactless_limit_minor: objects.amount(0xDF20)?,
            contactless_free_minor: objects.amount(0xDF21)?,
        })
    }

    /// The data objects, in the order of reference §3.9.
    pub fn write(&self) -> Vec<u8> {
        let floor = u32::try_from(self.floor_limit_minor).unwrap_or(u32::MAX);
        let rows: [(u32, &[u8]); 15] = [
            (0xDF01, &[u8::from(self.exact)]),
            (0x9F08, &self.version),
            (0xDF11, &self.action_default),
            (0xDF12, &self.action_online),
            (0xDF13, &self.action_denial),
            (0x9F1B, &floor.to_be_bytes()),
            (0xDF15, &self.threshold),
            (0xDF16, &[self.percent_max]),
            (0xDF17, &[self.percent]),
            (0xDF14, &self.object_list),
            (0xDF18, &[u8::from(self.online_pin)]),
            (0x9F7B, &packed(self.cash_limit_minor)),
            (0xDF19, &packed(self.contactless_floor_minor)),
            (0xDF20, &packed(self.contactless_limit_minor)),
            (0xDF21, &packed(self.contactless_free_minor)),
        ];
        let mut out = write_aid(&self.aid);
        for (tag, value) in rows {
            tlv::write(&mut out, tag, value);
        }
        out
    }

    pub(super) fn list_entry(&self) -> Vec<u8> {
        write_aid(&self.aid)
    }
}

/// Twelve digits, two a byte.
fn packed(mut number: u64) -> [u8; 6] {
    let mut bytes = [0; 6];
    for byte in bytes.iter_mut().rev() {
        let pair = (number % 100) as u8;
        *byte = ((pair / 10) << 4) | (pair % 10);
        number /= 100;
    }
    bytes
}

/// Tags 9F06 and 9F22.
pub(super) fn write_key_name(name: KeyName) -> Vec<u8> {
    let mut out = Vec::new();
    tlv::write(&mut out, 0x9F06, &name.rid);
    tlv::write(&mut out, 0x9F22, &[name.index]);
    out
}

/// Tag 9F06.
pub(super) fn write_aid(aid: &Aid) -> Vec<u8> {
    let mut out = Vec::new();
    tlv::write(&mut out, 0x9F06, aid.bytes());
    out
}

/// The names of a list of keys: 9F06 and 9F22 of each, and whatever else is between them.
pub(super) fn key_names(bytes: &[u8]) -> Result<Vec<KeyName>, MaterialError> {
    let list = Objects {
        item: "list of public keys".to_owned(),
        bytes,
    };
    let (mut names, mut scheme) = (Vec::new(), None);
    for object in tlv::walk(bytes) {
        let object = object.map_err(|_| list.refuse(0, BROKEN))?;
        match (object.tag, object.value, scheme) {
            (0x9F06, rid, _) => {
                let rid = <[u8; 5]>::try_from(rid);
                scheme = Some(rid.map_err(|_| list.refuse(0x9F06, WRONG_LENGTH))?);
            }
            (0x9F22, [index], Some(rid)) => {
                let index = *index;
                names.push(KeyName { rid, index });
                scheme = None;
            }
            (0x9F22, ..) => return Err(list.refuse(0x9F22, WRONG_LENGTH)),
            _ => {}
        }
    }
    match scheme {
        None => bounded(names, &list),
        Some(_) => Err(list.refuse(0x9F22, MISSING)),
    }
}

/// The names of a list of applications: 9F06 of each.
pub(super) fn aids(bytes: &[u8]) -> Result<Vec<Aid>, MaterialError> {
    let list = Objects {
        item: "list of applications".to_owned(),
        bytes,
    };
    let mut names = Vec::new();
    for object in tlv::walk(bytes) {
        let object = object.map_err(|_| list.refuse(0, BROKEN))?;
        if object.tag == 0x9F06 {
            let aid = Aid::new(object.value);
            names.push(aid.ok_or_else(|| list.refuse(0x9F06, WRONG_LENGTH))?);
        }
    }
    bounded(names, &list)
}

fn bounded<T>(names: Vec<T>, list: &Objects<'_>) -> Result<Vec<T>, MaterialError> {
    match names.len() <= ITEMS_MAX {
        true => Ok(names),
        false => Err(list.refuse(0, TOO_MANY)),
    }
}

/// The objects of one item, and what an error says of it.
struct Objects<'a> {
    item: String,
    bytes: &'a [u8],
}

impl<'a> Objects<'a> {
    fn refuse(&self, tag: u32, what: &'static str) -> MaterialError {
        MaterialError {
            item: self.item.clone(),
            tag,
            what,
        }
    }

    fn get(&self, tag: u32) -> Result<Option<&'a [u8]>, MaterialError> {
        tlv::find(self.bytes, tag).map_err(|_| self.refuse(0, BROKEN))
    }

    fn bounded(
        &self,
        tag: u32,
        lengths: std::ops::RangeInclusive<usize>,
    ) -> Result<&'a [u8], MaterialError> {
        let value = self.get(tag)?.ok_or_else(|| self.refuse(tag, MISSING))?;
        match lengths.contains(&value.len()) {
            true => Ok(value),
            false => Err(self.refuse(tag, WRONG_LENGTH)),
        }
    }

    fn fixed<const N: usize>(&self, tag: u32) -> Result<[u8; N], MaterialError> {
        let value = self.bounded(tag, N..=N)?;
        value.try_into().map_err(|_| self.refuse(tag, WRONG_LENGTH))
    }

    /// Packed digits.
    fn amount(&self, tag: u32) -> Result<u64, MaterialError> {
        let packed = self.fixed::<6>(tag)?;
        let nibbles = packed.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        self.number(tag, nibbles)
    }

    /// Eight characters, or the same packed into four bytes.
    fn date(&self, tag: u32) -> Result<u32, MaterialError> {
        let value = self.bounded(tag, 4..=8)?;
        let number = match value.len() {
            4 => self.number(tag, value.iter().flat_map(|byte| [byte >> 4, byte & 15])),
            8 => self.number(tag, value.iter().map(|byte| byte.wrapping_sub(b'0'))),
            _ => Err(self.refuse(tag, WRONG_LENGTH)),
        };
        Ok(number? as u32)
    }

    fn number(&self, tag: u32, digits: impl Iterator<Item = u8>) -> Result<u64, MaterialError> {
        let mut digits = digits;
        digits
            .try_fold(0, |sum, digit| {
                (digit < 10).then_some(sum * 10 + u64::from(digit))
            })
            .ok_or_else(|| self.refuse(tag, WRONG_DIGITS))
    }
}
