//! The centre under test with a till and a network around it: every frame is real bytes, every decision is replayed.
//!
//! After each decision the state equals a fresh fold of all records as the journal would give them back, and the books balance.

use crate::outs::*;
use acquirer::{Acquirer, Config, Effect, Input, MerchantSetup, Record, SaleRecord, TerminalSetup};
use crypto::{
    ClearKey, KeyUsage, MacAlgorithm, Pan, Pin, PinFormat, SecurityModule, SoftwareModule,
    WorkingKeys, WrappedKey,
};
use iso8583::frame::{HostHeader, TerminalHeader, open_host, open_terminal};
use iso8583::{Dialect, Message, Mti};
use payment::certificate::KeyId;
use payment::download::Offer;
use payment::kind::Rail;
use payment::terminal::{Answer, MacCheck, Origin, Request, Sale, Sealed, Standing};
use payment::verdict::{Verdict, verdict};
use payment::{
    Amount, Batch, Certificate, EdgeError, EntryMode, HostKey, Institution, Kind, Machine,
    MerchantId, Mono, Now, Party, Peer, ResponseCode, SaleKey, Secrets, Sign, SignOutcome, Stan,
    Surroundings, TerminalId, Track2, Wall, host, wire,
};
use std::cell::Cell;
use std::collections::BTreeMap;

pub const EXTENDED: TerminalId = TerminalId(*b"T0000001");
pub const PLAIN: TerminalId = TerminalId(*b"T0000002");
pub const SHOP: MerchantId = MerchantId(*b"898310154110001");
pub const OTHER_SHOP: MerchantId = MerchantId(*b"898310154110002");
pub const CARD: &str = "6225760000000005";
pub const OTHER_CARD: &str = "6225760000000013";
pub const CODE: &str = "130000000000000017";
pub const LIMIT: u64 = 5_000_000;
pub const CONFIRM_WITHIN_MS: u64 = 10_000;
pub const LADDER: payment::timeouts::Ladder = payment::timeouts::Ladder::DEMO;
const US: Institution = Institution(48_020_000);
pub const NETWORK: Institution = Institution(10_000);
const TMK: &str = "0123456789ABCDEFFEDCBA9876543210";
const KEK: &str = "89ABCDEF0123456776543210FEDCBA98";
const PVK: &str = "AAAABBBBCCCCDDDD1111222233334444";
const MAC: MacAlgorithm = MacAlgorithm::X919;

/// The keys at the network's end of the link.
pub struct Link {
    pub pin: WrappedKey,
    pub mac: WrappedKey,
}

pub struct World {
    pub acquirer: Acquirer,
    journal: Vec<Vec<u8>>,
    /// What was certified so far.
    pub certificates: Vec<Certificate>,
    pub now: Now,
    own: SoftwareModule,
    pub pos: SoftwareModule,
    pub host: SoftwareModule,
    tmk: WrappedKey,
    pub keys: BTreeMap<TerminalId, WorkingKeys>,
    pub batches: BTreeMap<TerminalId, Batch>,
    pub link: Option<Link>,
    exchanges: u64,
    drawn: Cell<u8>,
    sales_max: Option<usize>,
    /// Processing requirement in the header of the last answer to a till.
    pub demanded: Cell<u8>,
}

/// A sale to ask for; fields differ from the usual one where a test says so.
#[derive(Clone, Copy)]
pub struct Ask {
    pub terminal: TerminalId,
    pub merchant: MerchantId,
    pub batch: Option<Batch>,
    pub stan: u32,
    pub kind: Kind,
    pub amount: Amount,
    pub card: &'static str,
    pub pin: Option<(&'static str, PinFormat)>,
    pub track2: Option<&'static str>,
    pub sign: Option<Sign>,
    pub original: Option<payment::Original>,
    pub linked: Option<payment::Linked>,
    pub to: Option<&'static str>,
}

/// A purchase of 128.00 with trace number `stan` at the terminal that speaks the extension.
pub fn buy(stan: u32) -> Ask {
    Ask {
        terminal: EXTENDED,
        merchant: SHOP,
        batch: None,
        stan,
        kind: Kind::Purchase,
        amount: Amount::fen(12_800),
        card: CARD,
        pin: None,
        track2: None,
        sign: None,
        original: None,
        linked: None,
        to: None,
    }
}

/// A positive sign for the sale with trace number `stan` of batch 1.
pub fn sign(stan: u32, outcome: SignOutcome, level: u8, trouble: payment::sign::Trouble) -> Sign {
    Sign {
        batch: Batch(1),
        stan: Stan(stan),
        outcome,
        slip: payment::sign::SlipEvidence::paper(level, trouble),
    }
}

fn import(module: &SoftwareModule, usage: KeyUsage, hex: &str) -> WrappedKey {
    module
        .import(usage, &ClearKey::from_hex(hex).unwrap())
        .unwrap()
}

fn config(module: &SoftwareModule) -> Config {
    let tmk = import(module, KeyUsage::TerminalMaster, TMK);
    let shop = |name: &str| MerchantSetup {
        name: name.to_owned(),
        category: 5411,
    };
    let till = |extended| TerminalSetup {
        merchant: SHOP,
        tmk,
        extended,
        amount_minor_max: LIMIT,
    };
    Config {
        institution: US,
        network: NETWORK,
        kek: import(module, KeyUsage::HostMaster, KEK),
        mac: MAC,
        ladder: LADDER,
        gaps: payment::relay::Gaps::default(),
        confirm_within_ms: CONFIRM_WITHIN_MS,
        percents: payment::Percents::default(),
        wallet: Some(acquirer::wallet::Rules::default()),
        certificates: Some(KeyId(*b"test")),
        offer: Offer::default(),
        merchants: BTreeMap::from([(SHOP, shop("街角小店")), (OTHER_SHOP, shop("另一家店"))]),
        terminals: BTreeMap::from([(EXTENDED, till(true)), (PLAIN, till(false))]),
    }
}

impl World {
    /// Nobody has signed on.
    pub fn cold() -> Self {
        let [own, pos, host] = [1, 2, 3].map(|n| SoftwareModule::new([n; 32]));
        Self {
            acquirer: Acquirer::new(config(&own)),
            journal: Vec::new(),
            certificates: Vec::new(),
            now: Now {
                mono: Mono(1_000_000),
                wall: Wall(1_795_327_402_000),
            },
            tmk: import(&pos, KeyUsage::TerminalMaster, TMK),
            own,
            pos,
            host,
            keys: BTreeMap::new(),
            batches: BTreeMap::new(),
            link: None,
            exchanges: 0,
            drawn: Cell::new(0),
            sales_max: None,
            demanded: Cell::new(0),
        }
    }

    /// Both terminals and the link to the network have keys.
    pub fn open() -> Self {
        Self::cold().opened()
    }

    /// The same, and terminals can download this.
    pub fn offering(offer: Offer) -> Self {
        let mut world = Self::cold();
        let config = world.acquirer.config().clone();
        world.acquirer = Acquirer::new(Config { offer, ..config });
        world.opened()
    }

    fn opened(mut self) -> Self {
        self.connect();
        for terminal in [EXTENDED, PLAIN] {
            self.sign_on(terminal, 900);
        }
        self
    }

    fn with_surroundings<T>(&self, run: impl FnOnce(&Surroundings<'_>) -> T) -> T {
        let random = || {
            self.drawn.set(self.drawn.get().wrapping_add(1));
            std::array::from_fn(|i| {
                (i as u8)
                    .wrapping_mul(37)
                    .wrapping_add(self.drawn.get().wrapping_mul(59))
                    ^ 0x5A
            })
        };
        run(&Surroundings {
            module: &self.own,
            now: self.now,
            random: &random,
        })
    }

    /// Decides, applies, checks what must hold after every decision, and lets the effects leave as bytes.
    pub fn step(&mut self, input: Input) -> Vec<Out> {
        let decision = self.acquirer.decide(self.now, input);
        for record in &decision.records {
            let line = postcard::to_stdvec(record).unwrap();
            for secret in [
                CARD.as_bytes(),
                CODE.as_bytes(),
                OTHER_CARD.as_bytes(),
                &[0x62, 0x25, 0x76, 0, 0, 0, 0],
            ] {
                assert!(
                    !line.windows(secret.len()).any(|bytes| bytes == secret),
                    "a clear card number in {record:?}"
                );
            }
            if let Some(certificate) = self.acquirer.state().certificate(record) {
                assert!(certificate.follows(self.acquirer.state().chain()));
                self.certificates.push(certificate);
            }
            self.acquirer.apply(record);
            self.journal.push(line);
        }
        assert_eq!(
            format!("{:?}", self.replayed().state()),
            format!("{:?}", self.acquirer.state())
        );
        self.acquirer.state().books().ledger().audit().unwrap();
        let leaving = decision.effects.into_iter();
        leaving
            .map(|effect| match effect {
                Effect::Recall { wanted, question } => Out::Recall { wanted, question },
                effect => self.leave(&effect),
            })
            .collect()
    }

    /// Records written so far.
    pub fn records(&self) -> usize {
        self.journal.len()
    }

    /// The records written so far.
    pub fn written(&self) -> Vec<Record> {
        let lines = self.journal.iter();
        lines
            .map(|line| postcard::from_bytes(line).unwrap())
            .collect()
    }

    /// The acquirer that starts from the journal.
    pub fn replayed(&self) -> Acquirer {
        let mut fresh = self.fresh();
        for line in &self.journal {
            fresh.apply(&postcard::from_bytes::<Record>(line).unwrap());
        }
        fresh
    }

    fn fresh(&self) -> Acquirer {
        let fresh = Acquirer::new(self.acquirer.config().clone());
        match self.sales_max {
            Some(max) => fresh.with_archive().with_sales_max(max),
            None => fresh,
        }
    }

    /// One that forgets all but `max` transactions, and has an archive.
    pub fn forgetful(max: usize) -> Self {
        let mut world = Self::cold();
        world.sales_max = Some(max);
        world.acquirer = world.fresh();
        world.opened()
    }

    /// The process dies and comes back from a snapshot, which says what the journal says.
    pub fn restart(&mut self) -> Vec<Out> {
        let snapshot = postcard::to_stdvec(Party::state(&self.acquirer)).unwrap();
        self.acquirer = self.fresh();
        self.acquirer
            .restore(postcard::from_bytes(&snapshot).unwrap());
        assert_eq!(
            format!("{:?}", self.replayed().state()),
            format!("{:?}", self.acquirer.state())
        );
        self.step(Acquirer::resumed())
    }

    fn leave(&self, effect: &Effect) -> Out {
        if let Effect::CaseOpened { case, key } = effect {
            // A break of a batch may be about a sale that the centre has not.
            let state = self.acquirer.state();
            match state.sale(key) {
                Some(sale) => assert_eq!(sale.evidence.case, Some(*case)),
                None => assert!(
                    state
                        .breaks()
                        .any(|(n, item)| (n, item.key) == (*case, *key))
                ),
            }
            return Out::Case { case: *case };
        }
        if let Effect::Wallet { request, .. } = effect {
            return Out::Wallet { request: *request };
        }
        let mut frame = Vec::new();
        let said = self
            .with_surroundings(|around| self.acquirer.say(around, effect, &mut frame))
            .unwrap()
            .unwrap();
        let mut message = Message::new(Mti(0));
        match (said.to, effect) {
            (Peer::Exchange(exchange), Effect::Reply { answer, .. }) => {
                let (header, body) = open_terminal(&frame).unwrap();
                self.demanded.set(header.processing_requirement());
                let plain = header.with_processing_requirement(0);
                assert_eq!(plain, TerminalHeader::COMMON.answer());
                Dialect::terminal().decode(body, &mut message).unwrap();
                let read = wire::terminal::read_answer(&message, answer.kind).unwrap();
                assert_eq!(
                    &read, answer,
                    "the bytes say something else than the effect"
                );
                let key = self.keys.get(&answer.origin.terminal).map(|keys| &keys.mac);
                let mac = wire::frame::check_terminal_mac(&self.pos, key, body, &message);
                Out::Till {
                    exchange,
                    answer: read,
                    mac,
                    lost: said.if_undelivered,
                }
            }
            (Peer::Member(member), _) => {
                assert_eq!(member, NETWORK);
                let (header, body) = open_host(&frame).unwrap();
                assert_eq!(header.destination(), NETWORK.to_string().as_bytes());
                Dialect::host().decode(body, &mut message).unwrap();
                if let Effect::NetworkReply(_) = effect {
                    return Out::ToNetwork {
                        answer: wire::host::read_answer(&message).unwrap(),
                    };
                }
                let sealed =
                    wire::host::read_request(&message, &self.host, self.now.wall.day()).unwrap();
                let kek = self.kek();
                let key = match message.mti() {
                    Mti(0x0800) => Some(&kek),
                    _ => self.link.as_ref().map(|link| &link.mac),
                };
                let mac = wire::frame::check_host_mac(&self.host, MAC, key, &message);
                Out::Network {
                    sealed,
                    mac,
                    lost: said.if_undelivered,
                }
            }
            other => panic!("nobody expects {other:?}"),
        }
    }

    /// Time passes; the centre is asked at each of its own deadlines.
    pub fn wait(&mut self, ms: u64) -> Vec<Out> {
        let until = self.now.mono.plus_ms(ms);
        let mut outs = Vec::new();
        while let Some(due) = self.acquirer.deadline().filter(|due| *due <= until) {
            self.pass(due.max(self.now.mono));
            outs.extend(self.step(Acquirer::tick()));
            assert!(
                self.acquirer
                    .deadline()
                    .is_none_or(|due| due > self.now.mono),
                "a deadline that nobody serves"
            );
        }
        self.pass(until);
        outs
    }

    fn pass(&mut self, mono: Mono) {
        let ms = mono.0.saturating_sub(self.now.mono.0) / 1_000;
        self.now = Now {
            mono,
            wall: Wall(self.now.wall.0 + ms as i64),
        };
    }

    // The till's side.

    /// Hears a frame as it came.
    pub fn hear(&self, from: Peer, frame: &[u8]) -> Result<Input, EdgeError> {
        self.with_surroundings(|around| self.acquirer.hear(around, from, frame))
    }

    /// Bytes of a request, with field 64 under `key`.
    pub fn frame(&self, sealed: &Sealed, key: Option<&WrappedKey>) -> Vec<u8> {
        let (mut message, mut frame) = (Message::new(Mti(0)), Vec::new());
        wire::terminal::write_request(sealed, &self.pos, &mut message).unwrap();
        let key = key.filter(|_| sealed.request.carries_mac());
        if key.is_none() {
            message.remove(64);
        }
        wire::frame::write_terminal(
            &self.pos,
            &TerminalHeader::COMMON,
            &message,
            key,
            &mut frame,
        )
        .unwrap();
        frame
    }

    /// Sends bytes to the centre on a new exchange.
    pub fn till_sends(&mut self, frame: &[u8]) -> Vec<Out> {
        self.exchanges += 1;
        let input = self.hear(Peer::Exchange(self.exchanges), frame).unwrap();
        self.step(input)
    }

    /// Sends a request under the terminal's own key.
    pub fn till_asks(&mut self, sealed: &Sealed) -> Vec<Out> {
        let key = self
            .keys
            .get(&sealed.request.origin().terminal)
            .map(|keys| keys.mac);
        let frame = self.frame(sealed, key.as_ref());
        self.till_sends(&frame)
    }

    /// The number of the last exchange.
    pub fn exchange(&self) -> u64 {
        self.exchanges
    }

    pub fn origin(&self, terminal: TerminalId, stan: u32) -> Origin {
        let batch = self.batches.get(&terminal).copied().unwrap_or(Batch(0));
        Origin {
            terminal,
            merchant: SHOP,
            stan: Some(Stan(stan)),
            batch,
        }
    }

    pub fn manage(&mut self, kind: Kind, origin: Origin) -> Vec<Out> {
        let request = Request::Management { kind, origin };
        self.till_asks(&Sealed {
            request,
            secrets: Secrets::default(),
        })
    }

    /// Signs a terminal on and takes its keys.
    pub fn sign_on(&mut self, terminal: TerminalId, stan: u32) -> Answer {
        let origin = self.origin(terminal, stan);
        let answer = till(self.manage(Kind::SignOn, origin)).0;
        assert_eq!(answer.code, ResponseCode::APPROVED);
        let keys = self
            .pos
            .install_working_keys(&self.tmk, &answer.keys.unwrap().0)
            .unwrap();
        self.keys.insert(terminal, keys);
        self.batches.insert(terminal, answer.origin.batch);
        answer
    }

    pub fn key(&self, ask: &Ask) -> SaleKey {
        let batch = ask
            .batch
            .or(self.batches.get(&ask.terminal).copied())
            .unwrap_or(Batch(0));
        SaleKey {
            terminal: ask.terminal,
            merchant: ask.merchant,
            batch,
            stan: Stan(ask.stan),
        }
    }

    fn sale_request(&self, ask: &Ask) -> Sale {
        let pan = Pan::parse(ask.card.as_bytes()).unwrap();
        Sale {
            key: self.key(ask),
            kind: ask.kind,
            amount: ask.amount,
            card: self.pos.card(&pan, self.now.wall.day()).unwrap(),
            entry: if ask.kind.row().rail == Rail::Wallet {
                EntryMode::CODE
            } else if ask.pin.is_some() {
                EntryMode::STRIPE_PIN
            } else {
                EntryMode::STRIPE
            },
            expiry: Some(3012),
            card_sequence: None,
            original: ask.original,
            tip_minor: None,
            linked: ask.linked,
            to: ask.to.map(|to| {
                let pan = Pan::parse(to.as_bytes()).unwrap();
                self.pos.card(&pan, self.now.wall.day()).unwrap()
            }),
        }
    }

    pub fn financial(&self, ask: &Ask) -> Sealed {
        let pan = Pan::parse(ask.card.as_bytes()).unwrap();
        let pin = ask.pin.map(|(pin, format)| {
            let key = self.keys[&ask.terminal].pin;
            self.pos
                .encipher_pin(&key, format, &Pin::parse(pin.as_bytes()).unwrap(), &pan)
                .unwrap()
        });
        Sealed {
            request: Request::Financial {
                sale: self.sale_request(ask),
                sign: ask.sign,
            },
            secrets: Secrets {
                pan: None,
                track2: ask
                    .track2
                    .map(|text| Track2::parse(text.as_bytes()).unwrap()),
                pin,
                pin_format: ask.pin.map(|(_, format)| format),
                ..Secrets::default()
            },
        }
    }

    /// 0200.
    pub fn ask(&mut self, ask: &Ask) -> Vec<Out> {
        let sealed = self.financial(ask);
        self.till_asks(&sealed)
    }

    /// 0200 that must reach the network.
    pub fn forwarded(&mut self, ask: &Ask) -> host::Sealed {
        network(self.ask(ask)).0
    }

    /// 0400 with reason 98.
    pub fn reverse(&mut self, ask: &Ask) -> Vec<Out> {
        let request = Request::Reversal {
            sale: self.sale_request(ask),
            reason: ResponseCode::ISSUER_TIMEOUT,
            sign: ask.sign,
        };
        self.till_asks(&Sealed {
            request,
            secrets: Secrets::default(),
        })
    }

    /// Result query about trace number `stan`, with its own trace number 700.
    pub fn query(&mut self, terminal: TerminalId, stan: u32) -> (Standing, Answer) {
        let origin = self.origin(terminal, 700);
        let request = Request::Query {
            origin,
            original: (origin.batch, Stan(stan)),
            sign: None,
        };
        let (answer, mac) = till(self.till_asks(&Sealed {
            request,
            secrets: Secrets::default(),
        }));
        assert_eq!(
            (answer.code, mac),
            (ResponseCode::APPROVED, MacCheck::Right)
        );
        (answer.standing.unwrap().0, answer)
    }

    /// Idle report with this sign.
    pub fn report(&mut self, sign: Sign) -> Vec<Out> {
        let request = Request::IdleReport {
            origin: self.origin(EXTENDED, 701),
            sign,
        };
        self.till_asks(&Sealed {
            request,
            secrets: Secrets::default(),
        })
    }

    // The network's side.

    /// The link comes up and our sign-on is answered with keys.
    pub fn connect(&mut self) {
        let (sealed, mac) = network(self.link_is_up());
        assert_eq!(mac, MacCheck::Right);
        let host::Request::Management(asked) = sealed.request else {
            panic!("{sealed:?}")
        };
        let keys = self.new_host_keys(7);
        let mut answer = host::Answer::to(&sealed.request, ResponseCode::APPROVED);
        answer.management = Some((asked.code, Some(keys)));
        assert!(self.network_says(&answer).is_empty());
        assert!(self.acquirer.state().signed_on());
    }

    /// The link comes up, nothing else yet.
    pub fn link_is_up(&mut self) -> Vec<Out> {
        self.step(Acquirer::link_changed(NETWORK, true).unwrap())
    }

    /// The key that only the two members know, at the network's end.
    pub fn kek(&self) -> WrappedKey {
        import(&self.host, KeyUsage::HostMaster, KEK)
    }

    /// Fresh keys at the network's end, and as they travel.
    pub fn new_host_keys(&mut self, seed: u8) -> host::HostKeys {
        let kek = self.kek();
        let random = |n: u8| {
            std::array::from_fn(|i| (i as u8 + 1).wrapping_mul(seed).wrapping_mul(23 + n) ^ n)
        };
        let (pin, pin_wire, pin_check) = self
            .host
            .issue_host_key(&kek, KeyUsage::Pin, &random(0x31))
            .unwrap();
        let (mac, mac_wire, mac_check) = self
            .host
            .issue_host_key(&kek, KeyUsage::Mac, &random(0x62))
            .unwrap();
        self.link = Some(Link { pin, mac });
        host::HostKeys {
            pin: (pin_wire, pin_check),
            mac: (mac_wire, mac_check),
        }
    }

    /// The network asks something.
    pub fn network_asks(
        &mut self,
        code: host::NetworkCode,
        keys: Option<host::HostKeys>,
    ) -> host::Answer {
        let key = HostKey {
            transmission: 1_122_140_400,
            stan: Stan(77),
            acquirer: US,
            forwarder: NETWORK,
        };
        let request = host::Request::Management(host::Management { key, code, keys });
        let (mut message, mut frame) = (Message::new(Mti(0)), Vec::new());
        let sealed = host::Sealed {
            request,
            secrets: Secrets::default(),
        };
        wire::host::write_request(&sealed, &self.host, &mut message).unwrap();
        let header = HostHeader::new(US.to_string().as_bytes(), NETWORK.to_string().as_bytes());
        let mac = Some((MAC, &self.kek()));
        wire::frame::write_host(&self.host, &header, &mut message, mac, &mut frame).unwrap();
        let input = self.hear(Peer::Member(NETWORK), &frame).unwrap();
        match self.step(input).pop() {
            Some(Out::ToNetwork { answer }) => answer,
            other => panic!("{other:?}"),
        }
    }

    /// Bytes of an answer of the network, with field 128 under `key`.
    pub fn host_frame(&self, answer: &host::Answer, key: Option<&WrappedKey>) -> Vec<u8> {
        let (mut message, mut frame) = (Message::new(Mti(0)), Vec::new());
        wire::host::write_answer(answer, &mut message);
        let header = HostHeader::new(US.to_string().as_bytes(), NETWORK.to_string().as_bytes());
        wire::frame::write_host(
            &self.host,
            &header,
            &mut message,
            key.map(|key| (MAC, key)),
            &mut frame,
        )
        .unwrap();
        frame
    }

    pub fn network_says(&mut self, answer: &host::Answer) -> Vec<Out> {
        let key = match answer.management {
            Some(_) => Some(self.kek()),
            None => self.link.as_ref().map(|link| link.mac),
        };
        let frame = self.host_frame(answer, key.as_ref());
        let input = self.hear(Peer::Member(NETWORK), &frame).unwrap();
        self.step(input)
    }

    /// The network answers a request with a code.
    pub fn network_answers(&mut self, asked: &host::Sealed, code: &str) -> Vec<Out> {
        self.network_says(&answer(asked, code))
    }

    /// Does the PIN block of a forwarded request hold this PIN, under the network's key?
    pub fn holds_pin(&self, asked: &host::Sealed, pin: &str) -> bool {
        let link = self.link.as_ref().unwrap();
        let (pan, pvk) = (
            Pan::parse(CARD.as_bytes()).unwrap(),
            import(&self.host, KeyUsage::PinVerification, PVK),
        );
        let offset = self
            .host
            .pin_offset(&pvk, &pan, &Pin::parse(pin.as_bytes()).unwrap())
            .unwrap();
        let block = asked.secrets.pin.as_ref().unwrap();
        self.host
            .verify_pin(
                &link.pin,
                asked.secrets.pin_format.unwrap(),
                block,
                &pan,
                &pvk,
                &offset,
            )
            .unwrap()
    }

    // What stands at the end.

    pub fn sale(&self, ask: &Ask) -> &SaleRecord {
        self.acquirer.state().sale(&self.key(ask)).unwrap()
    }

    pub fn verdict(&self, ask: &Ask) -> Verdict {
        let sale = self.sale(ask);
        verdict(sale.request.kind, &sale.evidence)
    }

    /// What the shop is owed and what the network owes: always the same.
    pub fn payable(&self) -> i64 {
        let books = self.acquirer.state().books();
        assert_eq!(books.payable(&SHOP), books.receivable());
        books.payable(&SHOP)
    }

    /// A sale that the network approved and whose answer left.
    pub fn approved(&mut self, ask: &Ask) -> host::Sealed {
        let asked = self.forwarded(ask);
        let (answer, mac) = till(self.network_answers(&asked, "00"));
        assert_eq!(
            (answer.code, mac),
            (ResponseCode::APPROVED, MacCheck::Right)
        );
        asked
    }
}
