//! Who the members are and which card numbers belong to whom.
//!
//! Nothing here changes while the network runs, and nothing of it is part of the state.

use crypto::{MacAlgorithm, Pan, WrappedKey};
use payment::relay::Gaps;
use payment::{Institution, Wall};
use std::collections::BTreeMap;

/// How a network is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// The network's own code: the forwarder (field 33) of its own messages.
    pub institution: Institution,
    /// The members, each with one link.
    pub members: Vec<Member>,
    /// Card number prefixes; the longest that fits wins.
    pub routes: Vec<Route>,
    /// How long an issuer may take, in milliseconds.
    pub network_timeout_ms: u64,
    /// How store-and-forward spaces its attempts.
    pub gaps: Gaps,
    /// Local time `hhmm` from which field 15 names the next day (reference §8.1).
    pub cutover: u16,
    /// Attempts after which an undelivered reversal becomes a case; the attempts go on.
    pub case_after_attempts: u32,
}

/// The cutover most commonly named, 23:00 (reference §8.1).
pub const CUTOVER: u16 = 2300;

impl Config {
    /// A network without members and routes, with the default time-out, gaps and cutover.
    pub fn new(institution: Institution) -> Self {
        Self {
            institution,
            members: Vec::new(),
            routes: Vec::new(),
            network_timeout_ms: payment::timeouts::Ladder::default().network_ms,
            gaps: Gaps::default(),
            cutover: CUTOVER,
            case_after_attempts: 10,
        }
    }

    /// Field 15, `MMDD`, of what happens at `wall`.
    pub(crate) fn settlement_date(&self, wall: Wall) -> u16 {
        const DAY_MS: i64 = 86_400_000;
        let minutes = i64::from(self.cutover / 100) * 60 + i64::from(self.cutover % 100);
        Wall(wall.0 + (DAY_MS - minutes * 60_000).clamp(0, DAY_MS)).date()
    }
}

/// A member: an acquirer, an issuer or both.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its code.
    pub institution: Institution,
    /// The key-encrypting key shared with it, of usage `HostMaster`.
    pub kek: WrappedKey,
    /// How messages on its link are authenticated.
    pub mac: MacAlgorithm,
    /// Name in zh-CN.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
}

/// Card numbers with this beginning belong to this issuer.
#[derive(Clone, Debug)]
pub struct Route {
    /// Leading digits, such as `622848`.
    pub bin_prefix: String,
    /// The member that issued the card.
    pub issuer: Institution,
}

/// The configuration, indexed for look-up.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    members: BTreeMap<Institution, Member>,
    routes: BTreeMap<Vec<u8>, Institution>,
    prefix_digits_max: usize,
}

impl Directory {
    pub(crate) fn new(config: &Config) -> Self {
        let routes: BTreeMap<_, _> = config
            .routes
            .iter()
            .map(|route| (route.bin_prefix.clone().into_bytes(), route.issuer))
            .collect();
        Self {
            members: config
                .members
                .iter()
                .map(|member| (member.institution, member.clone()))
                .collect(),
            prefix_digits_max: routes.keys().map(Vec::len).max().unwrap_or(0),
            routes,
        }
    }

    pub(crate) fn member(&self, institution: Institution) -> Option<&Member> {
        self.members.get(&institution)
    }

    /// The member that issued this card.
    pub(crate) fn issuer(&self, pan: &Pan) -> Option<Institution> {
        let digits = pan.expose();
        (0..=self.prefix_digits_max.min(digits.len()))
            .rev()
            .find_map(|length| self.routes.get(&digits[..length]))
            .copied()
            .filter(|issuer| self.members.contains_key(issuer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::{ClearKey, KeyUsage, SecurityModule, SoftwareModule};

    #[test]
    fn the_longest_prefix_of_a_member_wins() {
        let module = SoftwareModule::new([7; 32]);
        let clear = ClearKey::from_hex("0123456789ABCDEFFEDCBA9876543210").unwrap();
        let kek = module.import(KeyUsage::HostMaster, &clear).unwrap();
        let mut config = Config::new(Institution(10000));
        for institution in [1, 2].map(Institution) {
            config.members.push(Member {
                institution,
                kek,
                mac: MacAlgorithm::X919,
                name_zh: "成员".to_owned(),
                name_en: "Member".to_owned(),
            });
        }
        for (bin_prefix, issuer) in [("622", 1), ("622848", 2), ("9", 3)] {
            config.routes.push(Route {
                bin_prefix: bin_prefix.to_owned(),
                issuer: Institution(issuer),
            });
        }
        let directory = Directory::new(&config);
        for (pan, issuer) in [
            ("6228480000000007", Some(2)),
            ("6225760000000005", Some(1)),
            ("6100000000000001", None),
            ("9100000000000001", None),
        ] {
            let pan = Pan::parse(pan.as_bytes()).unwrap();
            assert_eq!(directory.issuer(&pan), issuer.map(Institution), "{pan:?}");
        }
    }

    #[test]
    fn field_15_changes_at_the_cutover() {
        // 2026-11-22T14:59:59Z is 22:59:59 in China.
        let (before, config) = (1_795_359_599_000, Config::new(Institution(1)));
        let midnight = Config {
            cutover: 0,
            ..config.clone()
        };
        assert_eq!(config.settlement_date(Wall(before)), 1_122);
        assert_eq!(config.settlement_date(Wall(before + 1_000)), 1_123);
        assert_eq!(config.settlement_date(Wall(before + 4_000_000)), 1_123);
        assert_eq!(midnight.settlement_date(Wall(before)), 1_123);
    }
}
