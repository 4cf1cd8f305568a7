//! What terminals download from their acquirer: parameters, the public keys of the schemes, and the applications that a
//! chip reader serves (UnionPay-style reference §3.9).
//!
//! Invariants: whatever comes is read whole or refused with its place; a key whose checksum is not its own is no key; every
//! list and every value is bounded.

mod material;

pub use material::{
    Aid, Application, ITEMS_MAX, KeyName, MODULUS_BYTES_MAX, MaterialError, Parameters, PublicKey,
    TipRule,
};

use crate::terminal::Origin;
use crate::{Kind, kind::Flow};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// What can be downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Download {
    /// 参数.
    Parameters,
    /// IC 卡公钥.
    PublicKeys,
    /// IC 卡参数.
    Applications,
}

/// A step of the dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// What is there?
    List,
    /// One item of it.
    Take,
    /// The terminal has everything.
    End,
}

impl Download {
    /// Each, in the order in which a terminal fetches them.
    pub const ALL: [Self; 3] = [Self::Parameters, Self::PublicKeys, Self::Applications];

    /// Name in zh-CN and English.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Parameters => ("终端参数", "terminal parameters"),
            Self::PublicKeys => ("IC 卡公钥", "public keys"),
            Self::Applications => ("IC 卡参数", "chip applications"),
        }
    }

    /// The processing requirement in the header of an answer that demands it (reference §1.3).
    pub const fn requirement(self) -> u8 {
        match self {
            Self::Parameters => 1,
            Self::PublicKeys => 4,
            Self::Applications => 5,
        }
    }

    /// What a processing requirement demands.
    pub fn required(requirement: u8) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|download| download.requirement() == requirement)
    }

    /// The kind of a step; parameters have no list.
    pub fn kind(self, step: Step) -> Option<Kind> {
        let flow = Flow::Download(self, step);
        Kind::ALL
            .iter()
            .copied()
            .find(|kind| kind.row().flow == flow)
    }
}

/// Versions, 1 to 9,999 each; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Of the parameters.
    pub parameters: u16,
    /// Of the public keys.
    pub public_keys: u16,
    /// Of the applications.
    pub applications: u16,
}

/// The highest version.
pub const VERSION_MAX: u16 = 9_999;
/// Tag of the versions inside field 59, and the length of its value.
const VERSIONS_TAG: &[u8; 2] = b"FV";
const VERSIONS_LENGTH: usize = 12;

impl Versions {
    /// That of one download.
    pub const fn get(&self, download: Download) -> u16 {
        match download {
            Download::Parameters => self.parameters,
            Download::PublicKeys => self.public_keys,
            Download::Applications => self.applications,
        }
    }

    /// Sets that of one download.
    pub const fn set(&mut self, download: Download, version: u16) {
        match download {
            Download::Parameters => self.parameters = version,
            Download::PublicKeys => self.public_keys = version,
            Download::Applications => self.applications = version,
        }
    }

    /// The tag in field 59, our extension.
    pub fn write(&self) -> String {
        format!(
            "FV{VERSIONS_LENGTH:03}{:04}{:04}{:04}",
            self.parameters.min(VERSION_MAX),
            self.public_keys.min(VERSION_MAX),
            self.applications.min(VERSION_MAX)
        )
    }

    /// Finds them among the tags of a field 59.
    pub fn read(field: &[u8]) -> Option<Self> {
        let value = crate::sign::tag(field, VERSIONS_TAG)?;
        let part = |n: usize| {
            let digits = value.get(n * 4..n * 4 + 4)?;
            let plain = digits.iter().all(u8::is_ascii_digit);
            std::str::from_utf8(digits)
                .ok()
                .filter(|_| plain)?
                .parse()
                .ok()
        };
        (value.len() == VERSIONS_LENGTH).then_some(())?;
        Some(Self {
            parameters: part(0)?,
            public_keys: part(1)?,
            applications: part(2)?,
        })
    }
}

/// The name of an item of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ItemName {
    /// Of a public key.
    Key(KeyName),
    /// Of an application.
    Application(Aid),
}

impl fmt::Display for ItemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(name) => write!(f, "{name}"),
            Self::Application(aid) => write!(f, "{aid}"),
        }
    }
}

/// What a step asks for, field 62.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// The parameters, or the end: nothing is named.
    Whole,
    /// The list, behind so many names.
    Behind(u8),
    /// This item.
    Item(ItemName),
}

/// A request of a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownloadRequest {
    /// The kind: what, and which step.
    pub kind: Kind,
    /// Who; there is no trace number.
    pub origin: Origin,
    /// What is asked for.
    pub asked: Asked,
    /// Field 64 is carried: the terminal speaks our extension.
    pub mac: bool,
}

impl DownloadRequest {
    /// What, and which step.
    pub const fn step(&self) -> Option<(Download, Step)> {
        match self.kind.row().flow {
            Flow::Download(download, step) => Some((download, step)),
            _ => None,
        }
    }
}

/// The most that field 62 of an answer may carry here: the longest key with every object around it, or thirteen names.
pub const PIECE_BYTES_MAX: usize = 320;

/// Field 62 of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    length: u16,
    bytes: [u8; PIECE_BYTES_MAX],
}

impl Piece {
    /// At most [`PIECE_BYTES_MAX`] bytes, not empty.
    pub fn new(field62: &[u8]) -> Option<Self> {
        let mut bytes = [0; PIECE_BYTES_MAX];
        bytes.get_mut(..field62.len())?.copy_from_slice(field62);
        (!field62.is_empty()).then_some(Self {
            length: field62.len() as u16,
            bytes,
        })
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Piece({} bytes)", self.length)
    }
}

impl Serialize for Piece {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.bytes())
    }
}

impl<'de> Deserialize<'de> for Piece {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <Vec<u8>>::deserialize(deserializer)?;
        Self::new(&bytes).ok_or_else(|| serde::de::Error::custom("field 62 of a download"))
    }
}

/// First byte of a list or an item: there is none.
const NOTHING: u8 = b'0';
/// First byte of an item, or of the last part of a list.
const THERE: u8 = b'1';
/// First byte of a part of a list behind which more follows.
const MORE: u8 = b'2';

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPart {
    /// The names.
    pub names: Vec<ItemName>,
    /// More follow.
    pub more: bool,
}

/// One item, whole and checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// The parameters.
    Parameters(Parameters),
    /// A public key.
    Key(PublicKey),
    /// An application.
    Application(Application),
}

/// Why field 62 of an answer is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PieceError {
    /// The acquirer has none.
    Nothing,
    /// It is another item than the one that was asked for.
    Another,
    /// It is not what it must be.
    Material(MaterialError),
}

impl From<MaterialError> for PieceError {
    fn from(error: MaterialError) -> Self {
        Self::Material(error)
    }
}

impl fmt::Display for PieceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("there is none"),
            Self::Another => f.write_str("another item than the one asked for"),
            Self::Material(error) => write!(f, "{error}"),
        }
    }
}

/// Field 62 of the answer to a list.
///
/// # Errors
/// None there, or what is no list of names.
pub fn read_list(download: Download, field62: &[u8]) -> Result<ListPart, PieceError> {
    let (flag, rest) = field62.split_first().ok_or(PieceError::Nothing)?;
    if *flag == NOTHING {
        return Err(PieceError::Nothing);
    }
    let names = match download {
        Download::PublicKeys => names_of(material::key_names(rest)?, ItemName::Key),
        Download::Applications => names_of(material::aids(rest)?, ItemName::Application),
        Download::Parameters => Vec::new(),
    };
    let more = *flag == MORE;
    // An empty part would be asked for without end.
    if names.is_empty() {
        return Err(PieceError::Nothing);
    }
    Ok(ListPart { names, more })
}

fn names_of<T>(names: Vec<T>, name: impl Fn(T) -> ItemName) -> Vec<ItemName> {
    names.into_iter().map(name).collect()
}

/// Field 62 of the answer to a step that takes an item.
///
/// # Errors
/// None there, another one, or one that is not what it must be, with the place.
pub fn read_item(download: Download, asked: Asked, field62: &[u8]) -> Result<Item, PieceError> {
    if download == Download::Parameters {
        return Ok(Item::Parameters(Parameters::read(field62)?));
    }
    let (flag, rest) = field62.split_first().ok_or(PieceError::Nothing)?;
    if *flag != THERE {
        return Err(PieceError::Nothing);
    }
    let (item, name) = match download {
        Download::PublicKeys => {
            let key = PublicKey::read(rest)?;
            let name = ItemName::Key(key.name);
            (Item::Key(key), name)
        }
        _ => {
            let application = Application::read(rest)?;
            let name = ItemName::Application(application.aid);
            (Item::Application(application), name)
        }
    };
    match asked == Asked::Item(name) {
        true => Ok(item),
        false => Err(PieceError::Another),
    }
}

/// What an acquirer offers; a download without a version is not offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Version of each.
    pub versions: Versions,
    /// The parameters.
    pub parameters: Parameters,
    /// At most [`ITEMS_MAX`] keys.
    pub public_keys: Vec<PublicKey>,
    /// At most [`ITEMS_MAX`] applications.
    pub applications: Vec<Application>,
}

impl Offer {
    /// Field 62 of the answer to a step; none for an end.
    pub fn answer(&self, download: Download, step: Step, asked: Asked) -> Option<Piece> {
        let field62 = match (download, step, asked) {
            (_, Step::End, _) => return None,
            (Download::Parameters, ..) => self.parameters.write(),
            (Download::PublicKeys, Step::List, Asked::Behind(count)) => {
                list(count, self.public_keys.iter().map(PublicKey::list_entry))
            }
            (Download::Applications, Step::List, Asked::Behind(count)) => {
                list(count, self.applications.iter().map(Application::list_entry))
            }
            (_, Step::Take, Asked::Item(ItemName::Key(name))) => {
                let key = self.public_keys.iter().find(|key| key.name == name);
                item(key.map(PublicKey::write))
            }
            (_, Step::Take, Asked::Item(ItemName::Application(aid))) => {
                let found = self.applications.iter().find(|one| one.aid == aid);
                item(found.map(Application::write))
            }
            _ => vec![NOTHING],
        };
        Piece::new(&field62)
    }
}

/// As many entries behind the first `count` as a piece holds.
fn list(count: u8, entries: impl ExactSizeIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut out = vec![NOTHING];
    for entry in entries.skip(usize::from(count)) {
        if out.len() + entry.len() > PIECE_BYTES_MAX {
            out[0] = MORE;
            return out;
        }
        out[0] = THERE;
        out.extend_from_slice(&entry);
    }
    out
}

fn item(found: Option<Vec<u8>>) -> Vec<u8> {
    found.map_or_else(
        || vec![NOTHING],
        |objects| [&[THERE][..], &objects].concat(),
    )
}

/// Field 62 of a request; empty where nothing is named.
pub(crate) fn write_asked(asked: Asked) -> Vec<u8> {
    match asked {
        Asked::Whole => Vec::new(),
        Asked::Behind(count) => format!("1{:02}", count.min(99)).into_bytes(),
        Asked::Item(ItemName::Key(name)) => material::write_key_name(name),
        Asked::Item(ItemName::Application(aid)) => material::write_aid(&aid),
    }
}

/// Field 62 of a request for this step.
pub(crate) fn read_asked(download: Download, step: Step, field62: Option<&[u8]>) -> Option<Asked> {
    match (download, step) {
        // Whatever else a terminal says there is its own.
        (Download::Parameters, _) | (_, Step::End) => Some(Asked::Whole),
        (_, Step::List) => match field62? {
            [b'1', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
                Some(Asked::Behind((tens - b'0') * 10 + ones - b'0'))
            }
            _ => None,
        },
        (Download::PublicKeys, Step::Take) => {
            let names = material::key_names(field62?).ok()?;
            let [name] = names[..] else { return None };
            Some(Asked::Item(ItemName::Key(name)))
        }
        (Download::Applications, Step::Take) => {
            let aids = material::aids(field62?).ok()?;
            let [aid] = aids[..] else { return None };
            Some(Asked::Item(ItemName::Application(aid)))
        }
    }
}
