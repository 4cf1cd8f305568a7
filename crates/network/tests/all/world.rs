//! A network with two acquirers and two issuers whose every byte goes through `hear` and `say`.

use crypto::{ClearKey, KeyUsage, MacAlgorithm, Pan, Pin, PinFormat, SecurityModule};
use crypto::{SoftwareModule, WrappedKey};
use iso8583::frame::{self, HostHeader};
use iso8583::{Dialect, Message, Mti};
use network::{Config, Input, Member, Network, Record, Route};
use payment::host::*;
use payment::wire::host as wire;
use payment::*;
use std::cell::Cell;
use std::collections::BTreeMap;

pub const NETWORK: Institution = Institution(10_000);
pub const ACQUIRER: Institution = Institution(48_020_000);
pub const OTHER_ACQUIRER: Institution = Institution(48_030_000);
pub const ISSUER: Institution = Institution(1_030_000);
pub const OTHER_ISSUER: Institution = Institution(1_040_000);
pub const PAN: &str = "6228480000000007";
pub const OTHER_PAN: &str = "6225760000000005";
pub const UNKNOWN_PAN: &str = "6100000000000001";
pub const TIMEOUT_MS: u64 = 1_500;

/// A member as the network sees it: keys and a way to write and read frames.
pub struct Side {
    pub module: SoftwareModule,
    kek: WrappedKey,
    pub pin: Option<WrappedKey>,
    pub mac: Option<WrappedKey>,
    algorithm: MacAlgorithm,
}

/// A frame that the network wrote, as the member read it.
#[derive(Debug)]
pub enum Got {
    Request(Sealed),
    Answer(Answer),
}

pub struct World {
    pub network: Network,
    pub module: SoftwareModule,
    pub now: Now,
    pub journal: Vec<Record>,
    pub sides: BTreeMap<Institution, Side>,
    pub undelivered: Vec<Input>,
    random: Cell<u8>,
    stan: u32,
}

pub fn config(module: &SoftwareModule) -> Config {
    let mut config = Config::new(NETWORK);
    config.network_timeout_ms = TIMEOUT_MS;
    config.case_after_attempts = 3;
    let members = [ACQUIRER, OTHER_ACQUIRER, ISSUER, OTHER_ISSUER];
    for (institution, mac) in members.into_iter().zip([
        MacAlgorithm::X919,
        MacAlgorithm::X919,
        MacAlgorithm::AesCmac,
        MacAlgorithm::X919,
    ]) {
        config.members.push(Member {
            institution,
            kek: kek(module, institution),
            mac,
            name_zh: "成员".to_owned(),
            name_en: "Member".to_owned(),
        });
    }
    for (bin_prefix, issuer) in [("622", OTHER_ISSUER), ("622848", ISSUER)] {
        config.routes.push(Route {
            bin_prefix: bin_prefix.to_owned(),
            issuer,
        });
    }
    config
}

fn kek(module: &SoftwareModule, member: Institution) -> WrappedKey {
    let clear = ClearKey::from_hex(&format!("0123456789ABCDEF{:016X}", member.0)).unwrap();
    module.import(KeyUsage::HostMaster, &clear).unwrap()
}

impl World {
    /// Everybody is signed on.
    pub fn new() -> Self {
        let mut world = Self::silent();
        for member in [ACQUIRER, OTHER_ACQUIRER, ISSUER, OTHER_ISSUER] {
            world.sign_on(member);
        }
        world
    }

    /// Nobody has signed on.
    pub fn silent() -> Self {
        let module = SoftwareModule::new([1; 32]);
        let config = config(&module);
        let sides = config.members.iter().zip(2..).map(|(member, lmk)| {
            let module = SoftwareModule::new([lmk; 32]);
            let side = Side {
                kek: kek(&module, member.institution),
                module,
                pin: None,
                mac: None,
                algorithm: member.mac,
            };
            (member.institution, side)
        });
        Self {
            sides: sides.collect(),
            network: Network::new(config),
            module,
            now: Now {
                mono: Mono(1_000_000),
                wall: Wall(1_795_327_402_000),
            },
            journal: Vec::new(),
            undelivered: Vec::new(),
            random: Cell::new(0),
            stan: 0,
        }
    }

    /// Runs `act` on the network and its surroundings.
    pub fn around<T>(&self, act: impl FnOnce(&Network, &Surroundings<'_>) -> T) -> T {
        let random = || {
            self.random.set(self.random.get().wrapping_add(1));
            std::array::from_fn(|i| (i as u8 * 7) ^ self.random.get().wrapping_mul(31))
        };
        let around = Surroundings {
            module: &self.module,
            now: self.now,
            random: &random,
        };
        act(&self.network, &around)
    }

    /// Decides, writes and acts; gives what each member read.
    pub fn input(&mut self, input: Input) -> Vec<(Institution, Got)> {
        let decision = self.network.decide(self.now, input);
        for record in decision.records {
            self.network.apply(&record);
            self.journal.push(record);
        }
        let mut got = Vec::new();
        for effect in &decision.effects {
            let mut bytes = Vec::new();
            let said = self
                .around(|network, around| network.say(around, effect, &mut bytes))
                .unwrap()
                .unwrap();
            self.undelivered.extend(said.if_undelivered);
            let Peer::Member(to) = said.to else {
                panic!("not to a member")
            };
            got.push((to, self.sides[&to].read(to, &bytes)));
        }
        got
    }

    /// The network hears a frame of `from`.
    pub fn frame(
        &mut self,
        from: Institution,
        bytes: &[u8],
    ) -> Result<Vec<(Institution, Got)>, EdgeError> {
        let input =
            self.around(|network, around| network.hear(around, Peer::Member(from), bytes))?;
        Ok(self.input(input))
    }

    pub fn request(&mut self, from: Institution, sealed: &Sealed) -> Vec<(Institution, Got)> {
        let bytes = self.sides[&from].write_request(from, sealed);
        self.frame(from, &bytes).unwrap()
    }

    pub fn answer(&mut self, from: Institution, answer: &Answer) -> Vec<(Institution, Got)> {
        let bytes = self.sides[&from].write_answer(from, answer);
        self.frame(from, &bytes).unwrap()
    }

    pub fn sign_on(&mut self, member: Institution) {
        let key = self.key(member);
        let request = management(key, NetworkCode::SignOn);
        let answer = self.request(member, &request).only_answer(member);
        let keys = answer.management.unwrap().1.unwrap();
        self.side(member).install(&keys);
    }

    pub fn side(&mut self, member: Institution) -> &mut Side {
        self.sides.get_mut(&member).unwrap()
    }

    /// Lets time pass and asks the network as often as it wants to be asked.
    pub fn pass_ms(&mut self, milliseconds: u64) -> Vec<(Institution, Got)> {
        let end = self.now.mono.plus_ms(milliseconds);
        let mut got = Vec::new();
        while let Some(due) = self.network.deadline().filter(|due| *due <= end) {
            let step = due.max(self.now.mono);
            self.now.wall.0 += step.since_ms(self.now.mono) as i64;
            self.now.mono = step;
            got.extend(self.input(Input::Tick));
        }
        self.now.wall.0 += end.since_ms(self.now.mono) as i64;
        self.now.mono = end;
        got
    }

    /// A fresh key of `member`.
    pub fn key(&mut self, member: Institution) -> HostKey {
        self.stan += 1;
        HostKey {
            transmission: self.now.wall.transmission(),
            stan: Stan(self.stan),
            acquirer: member,
            forwarder: member,
        }
    }

    /// A purchase of ¥128.00 without PIN.
    pub fn purchase(&mut self, acquirer: Institution, pan: &str) -> Sealed {
        self.financial(acquirer, pan, Kind::Purchase)
    }

    pub fn financial(&mut self, acquirer: Institution, pan: &str, kind: Kind) -> Sealed {
        let key = self.key(acquirer);
        let pan = Pan::parse(pan.as_bytes()).unwrap();
        let sale = Financial {
            key,
            kind,
            amount: Amount::fen(if kind.row().moves_money() { 12_800 } else { 0 }),
            card: self.side(acquirer).module.card(&pan, 1).unwrap(),
            entry: EntryMode::STRIPE,
            expiry: Some(3012),
            settlement: None,
            local: (self.now.wall.time(), self.now.wall.date()),
            category: 5_411,
            rrn: Rrn(*b"000000000001"),
            terminal: TerminalId(*b"T0000001"),
            merchant: MerchantId(*b"898110058120156"),
            original: None,
            to: None,
        };
        Sealed {
            request: Request::Financial(sale),
            secrets: Secrets {
                pan: Some(pan),
                ..Secrets::default()
            },
        }
    }

    /// The same with a PIN in the acquirer's zone.
    pub fn with_pin(&mut self, mut sealed: Sealed, pin: &[u8]) -> Sealed {
        let Request::Financial(sale) = &mut sealed.request else {
            panic!("not a sale")
        };
        sale.entry = EntryMode::STRIPE_PIN;
        let side = &self.sides[&sale.key.acquirer];
        let pan = sealed.secrets.pan.as_ref().unwrap();
        let pin = Pin::parse(pin).unwrap();
        let format = PinFormat::WithPan;
        let block = side
            .module
            .encipher_pin(&side.pin.unwrap(), format, &pin, pan);
        sealed.secrets.pin = Some(block.unwrap());
        sealed.secrets.pin_format = Some(format);
        sealed
    }

    /// The acquirer's advice on a sale of its own.
    pub fn reversal_of(&mut self, sale: &Sealed) -> Sealed {
        let Request::Financial(sale) = sale.request else {
            panic!("not a sale")
        };
        Sealed {
            request: Request::Reversal(Reversal {
                key: self.key(sale.key.acquirer),
                original: sale.key,
                reason: ReversalReason::ACQUIRER_TIMEOUT,
                sale,
            }),
            secrets: Secrets::default(),
        }
    }

    /// The fold of the journal, through its stored form, is the live state; so is a restored snapshot.
    pub fn check_fold(&self) {
        let stored = postcard::to_stdvec(&self.journal).unwrap();
        let records: Vec<Record> = postcard::from_bytes(&stored).unwrap();
        let mut replayed = Network::new(config(&self.module));
        records.iter().for_each(|record| replayed.apply(record));
        let live = postcard::to_stdvec(self.network.state()).unwrap();
        assert_eq!(postcard::to_stdvec(replayed.state()).unwrap(), live);
        let mut restored = Network::new(config(&self.module));
        restored.restore(postcard::from_bytes(&live).unwrap());
        assert_eq!(postcard::to_stdvec(restored.state()).unwrap(), live);
        assert_eq!(restored.deadline(), self.network.deadline());
    }
}

impl Side {
    pub fn install(&mut self, keys: &HostKeys) {
        let install = |usage, (key, check): ([u8; 16], [u8; 4])| {
            let module = &self.module;
            module.install_host_key(&self.kek, usage, &key, &check)
        };
        let pin = install(KeyUsage::Pin, keys.pin).unwrap();
        let mac = install(KeyUsage::Mac, keys.mac).unwrap();
        (self.pin, self.mac) = (Some(pin), Some(mac));
    }

    pub fn write_request(&self, from: Institution, sealed: &Sealed) -> Vec<u8> {
        let mut message = Message::new(Mti(0));
        wire::write_request(sealed, &self.module, &mut message).unwrap();
        self.seal(from, message)
    }

    pub fn write_answer(&self, from: Institution, answer: &Answer) -> Vec<u8> {
        let mut message = Message::new(Mti(0));
        wire::write_answer(answer, &mut message);
        self.seal(from, message)
    }

    fn mac(&self, message: &Message) -> [u8; 8] {
        let covered = wire::MAC_FIELDS.map(|field| message.get(field).unwrap_or(&[]));
        let key = match message.mti().0 >> 8 {
            0x08 => &self.kek,
            _ => self.mac.as_ref().unwrap(),
        };
        self.module.mac(self.algorithm, key, &covered).unwrap()
    }

    fn seal(&self, from: Institution, mut message: Message) -> Vec<u8> {
        let mac = self.mac(&message);
        message.set(128, &mac);
        frame_of(from, NETWORK, &message)
    }

    fn read(&self, to: Institution, bytes: &[u8]) -> Got {
        let (header, body) = frame::open_host(bytes).unwrap();
        assert_eq!(header.destination(), to.to_string().as_bytes());
        assert_eq!(header.source(), NETWORK.to_string().as_bytes());
        let mut message = Message::new(Mti(0));
        Dialect::host().decode(body, &mut message).unwrap();
        assert_eq!(message.get(128), Some(&self.mac(&message)[..]), "wrong MAC");
        match message.mti().0 {
            0x0100 | 0x0200 | 0x0220 | 0x0420 | 0x0800 => {
                Got::Request(wire::read_request(&message, &self.module, 1).unwrap())
            }
            _ => Got::Answer(wire::read_answer(&message).unwrap()),
        }
    }
}

pub fn frame_of(from: Institution, to: Institution, message: &Message) -> Vec<u8> {
    let header = HostHeader::new(to.to_string().as_bytes(), from.to_string().as_bytes());
    let mut bytes = Vec::new();
    frame::seal_host::<iso8583::Error>(&header, &mut bytes, |body| {
        Dialect::host().encode(message, body)
    })
    .unwrap();
    bytes
}

pub fn management(key: HostKey, code: NetworkCode) -> Sealed {
    Sealed {
        request: Request::Management(Management {
            key,
            code,
            keys: None,
        }),
        secrets: Secrets::default(),
    }
}

/// The issuer's answer with an approval code.
pub fn approval(request: &Sealed) -> Answer {
    let mut answer = Answer::to(&request.request, ResponseCode::APPROVED);
    answer.approval = Some(ApprovalCode(*b"A00001"));
    answer
}

pub trait Outbox: Sized {
    fn only_answer(self, to: Institution) -> Answer;
    fn only_request(self, to: Institution) -> Sealed;
    fn nothing(self);
    fn reversals(self, to: Institution) -> Vec<Sealed>;
}

impl Outbox for Vec<(Institution, Got)> {
    fn only_answer(self, to: Institution) -> Answer {
        match <[_; 1]>::try_from(self).unwrap() {
            [(member, Got::Answer(answer))] if member == to => answer,
            other => panic!("no answer to {to}: {other:?}"),
        }
    }

    fn only_request(self, to: Institution) -> Sealed {
        match <[_; 1]>::try_from(self).unwrap() {
            [(member, Got::Request(sealed))] if member == to => sealed,
            other => panic!("no request to {to}: {other:?}"),
        }
    }

    fn nothing(self) {
        assert!(self.is_empty(), "{self:?}");
    }

    fn reversals(self, to: Institution) -> Vec<Sealed> {
        let of = |(member, got)| match got {
            Got::Request(sealed) if matches!(sealed.request, Request::Reversal(_)) => {
                assert_eq!(member, to);
                Some(sealed)
            }
            _ => None,
        };
        self.into_iter().filter_map(of).collect()
    }
}
