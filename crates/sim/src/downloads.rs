//! What an acquirer offers its tills for download, which changes when it comes back with another file; and what tills make of it.
//!
//! E5 what a till of our extension goes by is whole and of one version, whenever the offer changes and whoever dies.

use crate::core::Core;
use crate::marks::Mark;
use crate::node::Node;
use crate::prng::Prng;
use crypto::public_key_checksum;
use payment::download::{
    Aid, Application, Download, KeyName, Offer, Parameters, PublicKey, Versions,
};
use terminal::{Downloads, Terminal};

/// China UnionPay.
const RID: [u8; 5] = [0xA0, 0, 0, 3, 0x33];
/// More names than one part of a list holds.
const KEYS: u8 = 15;

/// Whether the acquirers of this world offer anything.
pub fn are_offered(seed: u64) -> bool {
    Prng::new(seed, 0xD0A1).percent(50)
}

/// Everything in one version, and nothing in it like the version before.
pub fn offer(version: u16) -> Offer {
    let own = version as u8;
    let key = |index: u8| {
        let (modulus, exponent) = (vec![own ^ index; 128], vec![3]);
        PublicKey {
            name: KeyName { rid: RID, index },
            expiry: 20_301_231,
            hash_algorithm: 1,
            algorithm: 1,
            checksum: public_key_checksum(&[&RID, &[index], &modulus, &exponent]),
            modulus,
            exponent,
        }
    };
    // Every other version has fewer keys, so that an item of the list may be gone.
    let keys = KEYS - own % 2;
    Offer {
        versions: Versions {
            parameters: version,
            public_keys: version,
            applications: version,
        },
        parameters: Parameters {
            resends: 1 + own % 3,
            ..Parameters::default()
        },
        public_keys: (1..=keys).map(key).collect(),
        applications: vec![application(u64::from(version))],
    }
}

fn application(version: u64) -> Application {
    Application {
        aid: Aid::new(&RID).expect("a registered provider"),
        exact: false,
        version: [0, 0x30],
        action_default: [0; 5],
        action_online: [0; 5],
        action_denial: [0; 5],
        floor_limit_minor: 0,
        threshold: [0; 4],
        percent_max: 0,
        percent: 0,
        object_list: Vec::new(),
        online_pin: true,
        cash_limit_minor: 0,
        contactless_floor_minor: 0,
        contactless_limit_minor: 50_000_000 + version,
        contactless_free_minor: crate::setup::FREE_MINOR,
    }
}

impl Core {
    /// What a till's record says of its downloads.
    pub fn till_downloads(&mut self, till: u8, record: &terminal::Record) {
        match record {
            terminal::Record::DownloadEnded { .. } => {
                self.mark(Mark::Downloaded);
                self.downloaded.insert(till);
            }
            terminal::Record::DownloadAgain { anew: true, .. } => self.mark(Mark::DownloadAnew),
            _ => {}
        }
    }
}

/// Judges what a till goes by, when something new has taken its place.
pub fn judge(core: &mut Core, node: &Node<Terminal>, till: u8) {
    if !core.downloaded.remove(&till) {
        return;
    }
    let state = node.party.state();
    let broken = Download::ALL
        .into_iter()
        .find(|download| !is_whole(state.downloads(), *download));
    if let Some(download) = broken {
        core.violate("E5", || {
            format!("till {till}: {download:?} is not what any one version offers")
        });
    }
}

/// It is what its version offers. A plain till has neither version nor MAC: what it gets may change on its way and in between.
fn is_whole(downloads: &Downloads, download: Download) -> bool {
    let version = downloads.versions().get(download);
    let own = offer(version.max(1));
    version == 0
        || match download {
            Download::Parameters => downloads.parameters() == Some(own.parameters),
            Download::PublicKeys => downloads.public_keys() == own.public_keys,
            Download::Applications => downloads.applications() == own.applications,
        }
}

/// An acquirer comes back with a new file so often.
pub const OFFERS_MAX: u16 = 9;
