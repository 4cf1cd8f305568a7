//! What terminals download, as a file beside the acquirer's tells it: parameters, public keys, applications.
//!
//! Invariant: a key whose checksum is not its own, and an item that a terminal would refuse, is refused here already.

use super::Problem;
use payment::Kind;
use payment::download::{
    Application, Download, ITEMS_MAX, MaterialError, Offer, Parameters, PublicKey, TipRule,
    VERSION_MAX,
};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt::Debug;

/// The file. A table that is not there is not offered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DownloadsFile {
    /// Terminal parameters.
    pub parameters: Option<ParametersText>,
    /// The schemes' public keys.
    pub public_keys: Option<ItemsText>,
    /// Applications of chip cards.
    pub applications: Option<ItemsText>,
}

/// Terminal parameters.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParametersText {
    /// 1 to 9,999: terminals fetch them when it is another one than theirs.
    pub version: u16,
    /// `none`, `tip` or `adjust`.
    #[serde(default = "tips")]
    pub tips: String,
    /// Further rounds in which unanswered messages of a settlement are sent again, 1 to 9.
    #[serde(default = "resends")]
    pub resends: u8,
    /// Kinds that terminals do not offer, by name: `PreAuth`, `预授权`.
    #[serde(default)]
    pub switched_off: Vec<String>,
}

/// Keys or applications.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemsText {
    /// 1 to 9,999: terminals fetch them when it is another one than theirs.
    pub version: u16,
    /// The data objects of each in hexadecimal, as the schemes publish them.
    pub items: Vec<String>,
}

fn tips() -> String {
    "tip".to_owned()
}

const fn resends() -> u8 {
    3
}

impl DownloadsFile {
    /// What is offered, or the first thing that is wrong and its place.
    ///
    /// # Errors
    /// What a terminal would refuse.
    pub fn resolve(&self) -> Result<Offer, Problem> {
        let mut offer = Offer::default();
        if let Some(text) = &self.parameters {
            offer.parameters = text.resolve()?;
            set(&mut offer, Download::Parameters, "parameters", text.version)?;
        }
        if let Some(text) = &self.public_keys {
            offer.public_keys = text.resolve("public_keys", PublicKey::read, |key| key.name)?;
            set(
                &mut offer,
                Download::PublicKeys,
                "public_keys",
                text.version,
            )?;
        }
        if let Some(text) = &self.applications {
            offer.applications = text.resolve("applications", Application::read, |one| one.aid)?;
            set(
                &mut offer,
                Download::Applications,
                "applications",
                text.version,
            )?;
        }
        Ok(offer)
    }
}

fn set(offer: &mut Offer, download: Download, name: &str, version: u16) -> Result<(), Problem> {
    if !(1..=VERSION_MAX).contains(&version) {
        return Err(format!(
            "{name}.version = {version} is not 1 to {VERSION_MAX}"
        ));
    }
    offer.versions.set(download, version);
    Ok(())
}

impl ParametersText {
    fn resolve(&self) -> Result<Parameters, Problem> {
        let tips = match self.tips.as_str() {
            "none" => TipRule::None,
            "tip" => TipRule::Tip,
            "adjust" => TipRule::Adjust,
            other => {
                return Err(format!(
                    "parameters.tips \"{other}\" is not none, tip or adjust"
                ));
            }
        };
        if !(1..=9).contains(&self.resends) {
            return Err(format!(
                "parameters.resends = {} is not 1 to 9",
                self.resends
            ));
        }
        let mut switches = u32::MAX;
        for name in &self.switched_off {
            let named = |kind: &&Kind| *name == format!("{kind:?}") || name == kind.row().zh;
            let kind = Kind::ALL.iter().find(named);
            let switch = kind.map_or(0, |kind| kind.row().switch);
            if switch == 0 {
                return Err(format!("parameters.switched_off: \"{name}\" has no switch"));
            }
            switches &= !(1 << (32 - switch));
        }
        Ok(Parameters {
            tips,
            resends: self.resends,
            switches,
        })
    }
}

impl ItemsText {
    fn resolve<T, N: Ord + Debug>(
        &self,
        table: &str,
        read: impl Fn(&[u8]) -> Result<T, MaterialError>,
        name: impl Fn(&T) -> N,
    ) -> Result<Vec<T>, Problem> {
        if self.items.is_empty() || self.items.len() > ITEMS_MAX {
            return Err(format!("{table}.items: 1 to {ITEMS_MAX} of them"));
        }
        let mut names = BTreeSet::new();
        let mut items = Vec::new();
        for (number, text) in (1..).zip(&self.items) {
            let place = format!("{table}.items, number {number}");
            let objects = hex(text).ok_or_else(|| format!("{place}: not hexadecimal"))?;
            let item = read(&objects).map_err(|error| format!("{place}: {error}"))?;
            if !names.insert(name(&item)) {
                return Err(format!("{place}: {:?} is named twice", name(&item)));
            }
            items.push(item);
        }
        Ok(items)
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| char::from(byte).to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../../examples/downloads.toml");

    #[test]
    fn the_example_is_taken_and_what_is_wrong_is_named_with_its_place() {
        let read = |text: &str| super::super::parse::<DownloadsFile>(text)?.resolve();
        let offer = read(EXAMPLE).expect("the example");
        assert_eq!((offer.public_keys.len(), offer.applications.len()), (4, 3));
        for (from, to, place) in [
            (
                "BBE9066D",
                "BBE9066C",
                "public_keys.items, number 1: public key A000000333/01: tag DF03",
            ),
            ("DF0101019F08", "DF019F08", "applications.items, number 1"),
            ("resends = 3", "resends = 0", "parameters.resends"),
            (
                "switched_off = []",
                "switched_off = [\"Echo\"]",
                "parameters.switched_off",
            ),
            ("tips = \"tip\"", "tips = \"much\"", "parameters.tips"),
            ("version = 1", "version = 10000", "version = 10000"),
        ] {
            let changed = EXAMPLE.replacen(from, to, 1);
            assert_ne!(changed, EXAMPLE, "{from}");
            let refused = read(&changed).expect_err(to);
            assert!(refused.contains(place), "{refused}");
        }
    }
}
