//! A bank with four cards, and the network's end of its link.

use crypto::{
    AnswerMethod, ClearKey, CryptogramScheme, KeyUsage, MacAlgorithm, Pan, Pin, SecurityModule,
    SoftwareModule, WrappedKey,
};
use iso8583::{Dialect, Message, Mti, frame};
use issuer::{
    CardSetup, CardStatus, ChipCheck, ChipKeys, Config, Effect, Input, Issuer, Notice, PinCheck,
    Product, Record,
};
use payment::host::{Answer, Financial, Request, Reversal, ReversalReason, Sealed};
use payment::wire::host::{MAC_FIELDS, read_answer, write_answer, write_request};
use payment::{
    Amount, EdgeError, EntryMode, HostKey, Institution, Kind, Machine, MerchantId, Mono, Now,
    Party, Peer, ResponseCode, Rrn, Stan, Surroundings, TerminalId, Wall,
};

pub const BANK: Institution = Institution(3_080_000);
pub const NETWORK: Institution = Institution(10_000_000);
pub const ACQUIRER: Institution = Institution(48_020_000);
/// 2026-11-22 14:03:22 in China.
pub const START: Now = Now {
    mono: Mono(5_000_000),
    wall: Wall(1_795_327_402_000),
};
pub const DEBIT: usize = 0;
pub const CREDIT: usize = 1;
/// Has no PIN.
pub const SIGNATURE: usize = 2;
/// Has a chip.
pub const CHIP: usize = 3;
pub const PANS: [&[u8]; 4] = [
    b"6225760000000005",
    b"6225760000000013",
    b"6225760000000021",
    b"6225760000000039",
];
pub const PIN: &[u8] = b"123456";
pub const OPENING: i64 = 100_000;
/// Master keys of chip cards: published values.
pub const IMK: &str = "F0C34A8124CEE0A91A0B034AA97D6EAC";
pub const SMI: &str = "46B0AA84C9AB2CC87FBD7C736E515C06";
const KEK: &str = "0123456789ABCDEFFEDCBA9876543210";

pub struct World {
    pub issuer: Issuer,
    pub module: SoftwareModule,
    pub network: SoftwareModule,
    pub network_kek: WrappedKey,
    /// PIN and MAC key as the network holds them.
    pub network_keys: Option<(WrappedKey, WrappedKey)>,
    pub now: Now,
    pub records: Vec<Record>,
    pub notices: Vec<Notice>,
    stan: u32,
}

fn module(seed: u8) -> SoftwareModule {
    SoftwareModule::new([seed; 32])
}

fn key(module: &SoftwareModule, usage: KeyUsage, hex: &str) -> WrappedKey {
    module
        .import(usage, &ClearKey::from_hex(hex).unwrap())
        .unwrap()
}

pub fn pan(card: usize) -> Pan {
    Pan::parse(PANS[card]).unwrap()
}

pub fn config(change: impl Fn(usize, &mut CardSetup)) -> Config {
    let module = module(1);
    let pvk = key(
        &module,
        KeyUsage::PinVerification,
        "89B07B35A1B3F47E89B07B35A1B3F488",
    );
    let offset = |card| {
        module
            .pin_offset(&pvk, &pan(card), &Pin::parse(PIN).unwrap())
            .unwrap()
    };
    let cards = (0..PANS.len()).map(|at| {
        let card = module.card(&pan(at), START.wall.day()).unwrap();
        let mut setup = CardSetup {
            token: card.token,
            card,
            holder: format!("holder {at}"),
            product: if at == CREDIT {
                Product::Credit
            } else {
                Product::Debit
            },
            account: 1_000 + at as u64,
            balance_minor: if at == CREDIT { 0 } else { OPENING as u64 },
            credit_limit_minor: if at == CREDIT { OPENING as u64 } else { 0 },
            status: CardStatus::Normal,
            expiry: 3012,
            chip_sequence: (at == CHIP).then_some(*b"01"),
            chip_answer: AnswerMethod::ResponseCode,
            pin_offset: (at != SIGNATURE).then(|| offset(at)),
            single_limit_minor: 200_000,
            daily_limit_minor: 300_000,
            daily_count_limit: 10,
        };
        change(at, &mut setup);
        setup
    });
    Config {
        institution: BANK,
        network: NETWORK,
        kek: key(&module, KeyUsage::HostMaster, KEK),
        mac: MacAlgorithm::X919,
        pvk,
        issuer_timeout_ms: 1_000,
        cards: cards.collect(),
        pin_tries_max: 3,
        no_pin_limit_minor: 5_000,
        chip: Some(ChipKeys {
            imk: key(&module, KeyUsage::CryptogramMaster, IMK),
            smi: key(&module, KeyUsage::ScriptMaster, SMI),
            scheme: CryptogramScheme::Pboc,
            fallback: true,
        }),
        percents: payment::Percents::default(),
        hold_ms: 30 * 86_400_000,
        unit: payment::CNY,
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(|_, _| {})
    }

    pub fn with(change: impl Fn(usize, &mut CardSetup)) -> Self {
        Self::of(config(change))
    }

    /// A barter centre: every card is a member, with quota.
    pub fn barter() -> Self {
        let mut config = config(|_, _| {});
        config.unit = payment::BARTER_UNIT;
        Self::of(config)
    }

    pub fn of(config: Config) -> Self {
        let network = module(2);
        let mut world = Self {
            issuer: Issuer::new(config),
            module: module(1),
            network_kek: key(&network, KeyUsage::HostMaster, KEK),
            network,
            network_keys: None,
            now: START,
            records: Vec::new(),
            notices: Vec::new(),
            stan: 0,
        };
        assert_eq!(world.issuer.deadline(), Some(Mono(0)), "cards to open");
        assert_eq!(world.put(Issuer::resumed()), []);
        assert_eq!(world.issuer.deadline(), None);
        world
    }

    /// Decides and applies; notices are kept apart.
    pub fn put(&mut self, input: Input) -> Vec<Effect> {
        let decision = self.issuer.decide(self.now, input);
        for record in &decision.records {
            self.issuer.apply(record);
        }
        self.records.extend(decision.records);
        let mut effects = Vec::new();
        for effect in decision.effects {
            match effect {
                Effect::Notice(notice) => self.notices.push(notice),
                other => effects.push(other),
            }
        }
        effects
    }

    /// The one answer to an input.
    pub fn answer(&mut self, input: Input) -> Answer {
        let effects = self.put(input);
        let [Effect::Answer(answer)] = effects.as_slice() else {
            panic!("one answer expected, not {effects:?}");
        };
        *answer
    }

    pub fn advance(&mut self, ms: u64) {
        self.now.mono = self.now.mono.plus_ms(ms);
        self.now.wall.0 += ms as i64;
    }

    pub fn next_key(&mut self) -> HostKey {
        self.stan += 1;
        HostKey {
            transmission: self.now.wall.transmission(),
            stan: Stan(self.stan),
            acquirer: ACQUIRER,
            forwarder: NETWORK,
        }
    }

    pub fn sale(&mut self, card: usize, minor: u64) -> Financial {
        let key = self.next_key();
        Financial {
            key,
            kind: Kind::Purchase,
            amount: Amount::fen(minor),
            card: self.module.card(&pan(card), self.now.wall.day()).unwrap(),
            entry: EntryMode::STRIPE_PIN,
            expiry: Some(3012),
            settlement: Some(1_122),
            local: (self.now.wall.time(), self.now.wall.date()),
            category: 5_411,
            rrn: Rrn::parse(format!("{:012}", key.stan.0).as_bytes()).unwrap(),
            terminal: TerminalId(*b"T0000001"),
            merchant: MerchantId(*b"898310053310001"),
            original: None,
            to: None,
        }
    }

    pub fn inquiry(&mut self, card: usize) -> Financial {
        Financial {
            kind: Kind::BalanceInquiry,
            ..self.sale(card, 0)
        }
    }

    pub fn ask(&mut self, sale: Financial, pin: PinCheck) -> Answer {
        let heard = self.now.mono;
        let answer = self.answer(Input::Financial {
            sale,
            pin,
            chip: ChipCheck::Absent,
            heard,
        });
        assert_eq!(self.issuer.audit(), Ok(()));
        answer
    }

    /// Asks and gives the code.
    pub fn buy(&mut self, sale: Financial) -> ResponseCode {
        self.ask(sale, PinCheck::Right).code
    }

    pub fn advice(&mut self, sale: Financial) -> Reversal {
        Reversal {
            key: self.next_key(),
            original: sale.key,
            reason: ReversalReason::NETWORK_TIMEOUT,
            sale,
        }
    }

    /// A new advice for `sale`; gives the code.
    pub fn reverse(&mut self, sale: Financial) -> ResponseCode {
        let advice = self.advice(sale);
        self.repeat_advice(advice)
    }

    pub fn repeat_advice(&mut self, advice: Reversal) -> ResponseCode {
        let answer = self.answer(Input::Reversal(advice));
        assert!(answer.answers(&Request::Reversal(advice)));
        assert_eq!(self.issuer.audit(), Ok(()));
        answer.code
    }

    pub fn balance(&self, card: usize) -> i64 {
        let token = self.module.card(&pan(card), 0).unwrap().token;
        self.issuer.balance(&token).unwrap()
    }

    // The wire.

    pub fn hear(&self, frame: &[u8]) -> Result<Input, EdgeError> {
        self.hear_from(Peer::Member(NETWORK), frame)
    }

    pub fn hear_from(&self, from: Peer, frame: &[u8]) -> Result<Input, EdgeError> {
        let around = Surroundings {
            module: &self.module,
            now: self.now,
            random: &|| [7; 32],
        };
        self.issuer.hear(&around, from, frame)
    }

    /// The frame of an effect, read by the network.
    pub fn said(&self, effect: &Effect) -> Message {
        let around = Surroundings {
            module: &self.module,
            now: self.now,
            random: &|| [7; 32],
        };
        let mut bytes = Vec::new();
        let said = self.issuer.say(&around, effect, &mut bytes).unwrap();
        assert_eq!(said.map(|said| said.to), Some(Peer::Member(NETWORK)));
        let (header, body) = frame::open_host(&bytes).unwrap();
        assert_eq!(header.destination(), NETWORK.to_string().as_bytes());
        assert_eq!(header.source(), BANK.to_string().as_bytes());
        let mut message = Message::new(Mti(0));
        Dialect::host().decode(body, &mut message).unwrap();
        message
    }

    /// A request's frame as the network writes it.
    pub fn request(&self, sealed: &Sealed) -> Vec<u8> {
        let mut message = Message::new(Mti(0));
        write_request(sealed, &self.network, &mut message).unwrap();
        self.frame(message)
    }

    pub fn answer_frame(&self, answer: &Answer) -> Vec<u8> {
        let mut message = Message::new(Mti(0));
        write_answer(answer, &mut message);
        self.frame(message)
    }

    fn frame(&self, mut message: Message) -> Vec<u8> {
        let mac = self.network_mac(&message);
        message.set(128, &mac);
        let (to, from) = (BANK.to_string(), NETWORK.to_string());
        let header = frame::HostHeader::new(to.as_bytes(), from.as_bytes());
        let mut bytes = Vec::new();
        frame::seal_host::<iso8583::Error>(&header, &mut bytes, |body| {
            Dialect::host().encode(&message, body)
        })
        .unwrap();
        bytes
    }

    pub fn network_mac(&self, message: &Message) -> [u8; 8] {
        let covered: Vec<u8> = MAC_FIELDS
            .iter()
            .filter_map(|field| message.get(*field))
            .flatten()
            .copied()
            .collect();
        let key = match message.mti() {
            Mti(0x0800 | 0x0810) => self.network_kek,
            _ => self.network_keys.expect("signed on").1,
        };
        self.network
            .mac(MacAlgorithm::X919, &key, &[&covered])
            .unwrap()
    }

    /// Reads the answer in `effects`, whose MAC must be right.
    pub fn heard_answer(&self, effects: &[Effect]) -> Answer {
        let [effect @ Effect::Answer(answer)] = effects else {
            panic!("one answer expected, not {effects:?}");
        };
        let message = self.said(effect);
        assert_eq!(message.get(128), Some(&self.network_mac(&message)[..]));
        assert_eq!(&read_answer(&message).unwrap(), answer);
        *answer
    }
}
