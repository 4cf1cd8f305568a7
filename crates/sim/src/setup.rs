//! The parties' configurations: published test keys, published test cards, terminals of both kinds.

use crate::chip::{self, Chip};
use crate::downloads;
use crate::prng::Prng;
use crate::scenario::Scenario;
use crypto::{
    Card, ClearKey, KeyUsage, MacAlgorithm, Pan, Pin, SecurityModule, SoftwareModule, WrappedKey,
};
use payment::relay::Gaps;
use payment::{BARTER_UNIT, Institution, MerchantId, Stan, TerminalId};
use receipt::{Language, Paper};

pub const NETWORK: Institution = Institution(10_000);
pub const ACQUIRERS: [Institution; 2] = [Institution(48_020_000), Institution(48_030_000)];
pub const ISSUERS: [Institution; 4] = [
    Institution(1_030_000),
    Institution(1_040_000),
    Institution(1_050_000),
    Institution(1_060_000),
];
/// The third bank's cards are foreign ones (外卡).
const BINS: [&str; 4] = ["622848", "622576", "404118", "880011"];
pub const CARDS_PER_ISSUER: usize = 4;
/// Of these the first ones have a chip, where the banks gave chips out.
const CHIPS_PER_ISSUER: usize = 2;
const FIRST_ACCOUNT: u64 = 1_000;
/// A tap up to this needs no PIN, in fen; the banks' own limit is the same.
pub const FREE_MINOR: u64 = 2_000;
/// The published test PIN.
pub const PIN: &[u8] = b"123456";
pub const KEY_HEX: [&str; 3] = [
    "0123456789ABCDEFFEDCBA9876543210",
    "89B07B35A1B3F47E89B07B35A1B3F488",
    "1111111111111111BBBBBBBBBBBBBBBB",
];
pub const MERCHANTS_MAX: usize = 3;
/// No wallet order is revoked sooner (product reference §0, finding 5).
pub const REVOKE_AFTER_MS: u64 = 15_000;

/// A card as its holder has it.
pub struct TestCard {
    pub pan: Vec<u8>,
    pub track2: Vec<u8>,
    pub issuer: usize,
    /// Its place among the cards of its bank.
    pub at: usize,
    pub opening_minor: i64,
    pub token: crypto::PanToken,
    pub has_pin: bool,
    pub chip: Option<Chip>,
}

/// Everything a world is built from.
pub struct Setup {
    pub terminals: Vec<(terminal::Config, SoftwareModule)>,
    pub acquirers: Vec<(acquirer::Config, SoftwareModule)>,
    pub network: (network::Config, SoftwareModule),
    pub issuers: Vec<(issuer::Config, SoftwareModule)>,
    pub cards: Vec<TestCard>,
}

pub fn key(module: &SoftwareModule, usage: KeyUsage, hex: &str) -> WrappedKey {
    let clear = ClearKey::from_hex(hex).expect("a published key");
    module
        .import(usage, &clear)
        .expect("a sandbox module takes it")
}

fn pan(issuer: usize, number: usize) -> Vec<u8> {
    let mut digits = format!("{}{:09}", BINS[issuer], number).into_bytes();
    let check = crypto::luhn_check_digit(&digits).expect("digits");
    digits.push(check);
    digits
}

/// A card of the third bank; payment codes are none.
pub fn is_foreign(card: usize) -> bool {
    card / CARDS_PER_ISSUER == 2
}

/// The account of a card, by the card's place among all.
pub fn account(card: usize) -> u64 {
    FIRST_ACCOUNT + (card % CARDS_PER_ISSUER) as u64
}

pub fn merchant(number: usize) -> MerchantId {
    let text = format!("89831005331{number:04}");
    MerchantId::parse(text.as_bytes()).expect("15 characters")
}

/// The number of a terminal.
pub fn terminal_number(terminal: &TerminalId) -> u8 {
    let digits = terminal.as_str().trim_start_matches('T');
    digits.parse().expect("a terminal of this world")
}

pub fn terminal_id(number: usize) -> TerminalId {
    TerminalId::parse(format!("T{number:07}").as_bytes()).expect("8 characters")
}

impl Setup {
    pub fn new(scenario: &Scenario) -> Self {
        let mut prng = Prng::new(scenario.seed, 0x5E70);
        let ladder = scenario.ladder();
        let confirm_within_ms = ladder.terminal_ms * 3 + prng.within(1, 20) * 1_000;
        let mac = [MacAlgorithm::X919, MacAlgorithm::AesCmac][prng.below(2) as usize];
        let modules: Vec<_> = (0..7)
            .map(|n| SoftwareModule::new([n as u8 + 1; 32]))
            .collect();
        let chips = chip::are_given(scenario.seed);
        let (network_module, count) = (&modules[2], scenario.acquirers as usize);
        let mut cards = Vec::new();
        let issuers = (0..scenario.issuers as usize).map(|n| {
            let module = modules[3 + n].clone();
            let config = bank(
                n,
                &module,
                mac,
                (ladder.issuer_ms, chips),
                &mut prng,
                &mut cards,
            );
            (config, module)
        });
        let mut issuers: Vec<_> = issuers.collect();
        if scenario.has_centre() {
            let n = issuers.len();
            let module = modules[3 + n].clone();
            let mut draws = Prng::new(scenario.seed, 0xCE47);
            let mut config = bank(
                n,
                &module,
                mac,
                (ladder.issuer_ms, false),
                &mut draws,
                &mut cards,
            );
            config.unit = BARTER_UNIT;
            issuers.push((config, module));
        }
        let wallet = wallet_rules(&mut Prng::new(scenario.seed, 0x3A11E7));
        let acquirer = |n: usize| acquirer::Config {
            institution: ACQUIRERS[n],
            network: NETWORK,
            kek: key(&modules[n], KeyUsage::HostMaster, KEY_HEX[0]),
            mac,
            ladder,
            gaps: Gaps::default(),
            confirm_within_ms,
            percents: payment::Percents::default(),
            wallet: Some(wallet.clone()),
            certificates: None,
            offer: match downloads::are_offered(scenario.seed) {
                true => downloads::offer(1),
                false => payment::download::Offer::default(),
            },
            merchants: merchants(),
            terminals: Default::default(),
        };
        let mut acquirers: Vec<_> = (0..count).map(acquirer).collect();
        let mut terminals = Vec::new();
        for n in 0..scenario.terminals as usize {
            let module = SoftwareModule::new([100 + n as u8; 32]);
            let extended = prng.percent(75);
            let config = till(n, &module, &ladder, extended, &mut prng);
            let setup = acquirer::TerminalSetup {
                merchant: config.merchant,
                tmk: key(&modules[n % count], KeyUsage::TerminalMaster, KEY_HEX[2]),
                extended,
                amount_minor_max: 100_000_000,
            };
            acquirers[n % count]
                .terminals
                .insert(config.terminal, setup);
            terminals.push((config, module));
        }
        let mut network = network::Config::new(NETWORK);
        network.network_timeout_ms = ladder.network_ms;
        for institution in ACQUIRERS[..count]
            .iter()
            .chain(&ISSUERS[..issuers.len()])
            .copied()
        {
            network.members.push(network::Member {
                institution,
                kek: key(network_module, KeyUsage::HostMaster, KEY_HEX[0]),
                mac,
                name_zh: "成员".to_owned(),
                name_en: "Member".to_owned(),
            });
        }
        for n in 0..issuers.len() {
            network.routes.push(network::Route {
                bin_prefix: BINS[n].to_owned(),
                issuer: ISSUERS[n],
            });
        }
        Self {
            terminals,
            acquirers: acquirers.into_iter().zip(modules.iter().cloned()).collect(),
            network: (network, network_module.clone()),
            issuers,
            cards,
        }
    }
}

/// Published times or shorter ones; never sooner revoked, and never sure of an absence while the provider still takes requests.
fn wallet_rules(prng: &mut Prng) -> acquirer::wallet::Rules {
    acquirer::wallet::Rules {
        poll_ms: prng.within(1, 5) * 1_000,
        pay_within_ms: prng.within(5, 45) * 1_000,
        scan_within_ms: prng.within(5, 120) * 1_000,
        revoke_after_ms: REVOKE_AFTER_MS,
        absent_after_ms: crate::wallet::STALE_US / 1_000 + prng.within(10, 120) * 1_000,
        ..acquirer::wallet::Rules::default()
    }
}

fn merchants() -> std::collections::BTreeMap<MerchantId, acquirer::MerchantSetup> {
    let setup = |n| acquirer::MerchantSetup {
        name: format!("商户{n}"),
        category: 5_411,
    };
    (0..MERCHANTS_MAX)
        .map(|n| (merchant(n), setup(n)))
        .collect()
}

fn bank(
    n: usize,
    module: &SoftwareModule,
    mac: MacAlgorithm,
    (issuer_timeout_ms, chips): (u64, bool),
    prng: &mut Prng,
    cards: &mut Vec<TestCard>,
) -> issuer::Config {
    let pvk = key(module, KeyUsage::PinVerification, KEY_HEX[1]);
    let mut setups = Vec::new();
    for at in 0..CARDS_PER_ISSUER {
        let number = pan(n, at + 1);
        let clear = Pan::parse(&number).expect("digits");
        let card: Card = module.card(&clear, 20_000).expect("a sandbox module seals");
        let credit = at == 1;
        let has_pin = at != 2;
        let has_chip = chips && at < CHIPS_PER_ISSUER;
        // The last card of each bank is nearly empty, so that some sales are declined.
        let opening = if at == 3 {
            prng.within(2_000, 60_000)
        } else {
            100_000_000
        };
        let pin_offset = has_pin.then(|| {
            let pin = Pin::parse(PIN).expect("digits");
            module
                .pin_offset(&pvk, &clear, &pin)
                .expect("a sandbox module computes")
        });
        setups.push(issuer::CardSetup {
            token: card.token,
            card,
            holder: format!("holder {n}-{at}"),
            product: if credit {
                issuer::Product::Credit
            } else {
                issuer::Product::Debit
            },
            account: account(at),
            balance_minor: if credit { 0 } else { opening },
            credit_limit_minor: if credit { opening } else { 0 },
            status: issuer::CardStatus::Normal,
            expiry: 3_012,
            chip_sequence: has_chip.then_some(*b"01"),
            chip_answer: chip::answered(at),
            pin_offset,
            single_limit_minor: 50_000_000,
            daily_limit_minor: 10_000_000_000,
            daily_count_limit: 100_000,
        });
        let mut track2 = number.clone();
        // Service code 201 says that the card has a chip, 101 that it has none.
        track2.extend_from_slice(match has_chip {
            true => b"D30122010000012345",
            false => b"D30121010000012345",
        });
        cards.push(TestCard {
            pan: number,
            track2,
            issuer: n,
            at,
            opening_minor: opening as i64,
            token: card.token,
            has_pin,
            chip: has_chip.then(|| chip::personalise(&clear, at)),
        });
    }
    issuer::Config {
        institution: ISSUERS[n],
        network: NETWORK,
        kek: key(module, KeyUsage::HostMaster, KEY_HEX[0]),
        mac,
        pvk,
        issuer_timeout_ms,
        cards: setups,
        pin_tries_max: 3,
        no_pin_limit_minor: FREE_MINOR,
        percents: payment::Percents::default(),
        // In some worlds holds run out while the storm is on.
        hold_ms: match prng.percent(40) {
            true => prng.within(4, 90) * 1_000,
            false => 3_600_000,
        },
        chip: chips.then(|| chip::keys(module)),
        unit: payment::CNY,
    }
}

fn till(
    n: usize,
    module: &SoftwareModule,
    ladder: &payment::timeouts::Ladder,
    extended: bool,
    prng: &mut Prng,
) -> terminal::Config {
    terminal::Config {
        terminal: terminal_id(n),
        merchant: merchant(prng.below(MERCHANTS_MAX as u64) as usize),
        merchant_name: "存根百货".to_owned(),
        acquirer_name: "存根收单".to_owned(),
        issuers: BINS
            .iter()
            .map(|bin| ((*bin).to_owned(), "测试银行".to_owned()))
            .collect(),
        operator: "01".to_owned(),
        tmk: key(module, KeyUsage::TerminalMaster, KEY_HEX[2]),
        first_stan: Stan([1, 999_990][usize::from(prng.percent(20))]),
        answer_ms: ladder.terminal_ms,
        query_ms: ladder.terminal_ms / 2,
        extended,
        dialogue_ms: ladder.terminal_ms * prng.within(1, 3),
        goods_question_ms: ladder.terminal_ms * prng.within(1, 4),
        gaps: Gaps::default(),
        source_address: 0,
        // Tills that were told no limit: the hosts have to refuse.
        percents: payment::Percents {
            capture: u16::MAX,
            adjust: u16::MAX,
        },
        batch_resends: 3,
        idle_report_ms: prng.within(500, 8_000),
        prints: prng.percent(25),
        eslip: None,
        eslip_after_ms: 0,
        chip: Some(terminal::ChipReader {
            terminal: terminal::kernel::ChipTerminal::unionpay(*b"00000001", FREE_MINOR),
            fallback: terminal::kernel::FallbackRule::default(),
        }),
        language: Language::Zh,
        paper: Paper::Mm58,
    }
}
