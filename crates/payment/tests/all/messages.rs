//! Every typed message over real bytes and back, on both interfaces, from seeded random values; and damaged bytes.

use crypto::{
    ClearKey, KeyUsage, MacAlgorithm, Pan, PinBlock, PinFormat, SecurityModule, SoftwareModule,
    WrappedKey,
};
use iso8583::frame::{HostHeader, TerminalHeader, open_host, open_terminal};
use iso8583::{Dialect, Message, Mti};
use payment::batch::{
    BatchTotals, BlockCodes, BlockTotals, ChipFailure, ChipOutcome, ChipUpload, Reconciled,
    UploadPart, Uploaded,
};
use payment::download::{
    Aid, Asked, Download, DownloadRequest, ItemName, KeyName, Piece, Step, Versions,
};
use payment::host::{self, AnswerKind, NetworkCode, ReversalReason};
use payment::sign::{SlipEvidence, Trouble};
use payment::terminal::{Answer, KeysField, MacCheck, Origin, Request, Sale, Sealed, Standing};
use payment::{
    Amount, ApprovalCode, Batch, CNY, ChipRequest, Currency, EntryMode, Flow, HostKey, Institution,
    Kind, LinkId, LinkReason, Linked, MerchantId, Original, ResponseCode, Rrn, SaleKey, Secrets,
    Sign, SignOutcome, Stan, TerminalId, Track2, wire,
};

const DAY: u16 = 20_779;
const ROUNDS: u64 = 400;

/// SplitMix64: the round is the seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From `from` to `to`, both included; the ends come up often.
    fn within(&mut self, from: u64, to: u64) -> u64 {
        match self.next() % 8 {
            0 => from,
            1 => to,
            _ => from + self.next() % (to - from + 1),
        }
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.within(0, from.len() as u64 - 1) as usize]
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.coin().then(|| make(self))
    }

    fn coin(&mut self) -> bool {
        self.next() & 1 == 0
    }

    fn text<const N: usize>(&mut self, alphabet: &[u8]) -> [u8; N] {
        std::array::from_fn(|_| self.pick(alphabet))
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next() as u8)
    }

    fn code(&mut self) -> ResponseCode {
        ResponseCode(self.text(b"0123456789ACXZ"))
    }

    fn pan(&mut self) -> Pan {
        let digits = self.within(12, 19) as usize;
        Pan::parse(&self.text::<19>(b"0123456789")[..digits]).unwrap()
    }

    fn track2(&mut self, pan: &Pan) -> Track2 {
        let mut track = pan.expose().to_vec();
        track.extend_from_slice(b"D3012201");
        let room = self.within(0, 37 - track.len() as u64) as usize;
        track.extend_from_slice(&self.text::<37>(b"0123456789")[..room]);
        Track2::parse(&track).unwrap()
    }

    fn terminal(&mut self) -> TerminalId {
        TerminalId(self.text(b"0123456789ABCXYZ"))
    }

    fn merchant(&mut self) -> MerchantId {
        MerchantId(self.text(b"0123456789ABCXYZ"))
    }

    fn stan(&mut self) -> Stan {
        Stan(self.within(1, 999_999) as u32)
    }

    fn batch(&mut self) -> Batch {
        Batch(self.within(0, 999_999) as u32)
    }

    fn amount(&mut self) -> Amount {
        let currency = if self.coin() {
            Currency(self.within(0, 999) as u16)
        } else {
            CNY
        };
        Amount {
            minor: self.within(0, 999_999_999_999),
            currency,
        }
    }

    fn entry(&mut self, pin: bool) -> EntryMode {
        let (with, without) = ([21, 51, 71, 911], [12, 22, 52, 72, 982]);
        EntryMode(if pin {
            self.pick(&with)
        } else {
            self.pick(&without)
        })
    }

    /// The same, with the stripes of chip cards, which element 60.5 tells from others.
    fn swiped(&mut self, pin: bool) -> EntryMode {
        let entry = self.entry(pin);
        match self.within(0, 2) {
            0 if entry.is_stripe() => EntryMode(800 + entry.0 % 10),
            1 if entry.is_stripe() => EntryMode(1_000 + entry.0),
            _ => entry,
        }
    }

    fn institution(&mut self) -> Institution {
        Institution(self.within(0, 99_999_999_999))
    }

    fn host_key(&mut self) -> HostKey {
        HostKey {
            transmission: self.within(0, 9_999_999_999),
            stan: self.stan(),
            acquirer: self.institution(),
            forwarder: self.institution(),
        }
    }

    fn sign(&mut self) -> Sign {
        Sign {
            batch: self.batch(),
            stan: self.stan(),
            outcome: self.pick(&[
                SignOutcome::Approved,
                SignOutcome::Declined,
                SignOutcome::Reversed,
            ]),
            slip: SlipEvidence {
                level: self.within(0, 5) as u8,
                trouble: self.pick(&Trouble::ALL),
                eslip: self.within(0, 1) == 1,
            },
        }
    }

    fn sale(&mut self, merchant: MerchantId) -> SaleKey {
        SaleKey {
            terminal: self.terminal(),
            merchant,
            batch: self.batch(),
            stan: self.stan(),
        }
    }

    fn linked(&mut self, merchant: MerchantId) -> Linked {
        Linked {
            earlier: self.sale(merchant),
            reason: self.pick(&LinkReason::ALL),
        }
    }

    fn secrets(&mut self, pan: Pan, pin: bool, track: bool) -> Secrets {
        Secrets {
            track2: track.then(|| self.track2(&pan)),
            pin: pin.then(|| PinBlock::new(self.bytes())),
            pin_format: pin.then(|| self.pick(&[PinFormat::WithPan, PinFormat::WithoutPan])),
            pan: Some(pan),
            chip: self.maybe(|random| ChipRequest::new(&random.bytes::<40>()).unwrap()),
            uploaded: Vec::new(),
        }
    }

    fn totals(&mut self) -> BatchTotals {
        let mut block = || BlockTotals {
            debits: self.within(0, 999) as u32,
            debits_minor: self.within(0, 999_999_999_999),
            credits: self.within(0, 999) as u32,
            credits_minor: self.within(0, 999_999_999_999),
        };
        BatchTotals {
            domestic: block(),
            foreign: block(),
        }
    }

    /// In a batch record zeros fill the number up, so it starts with another digit.
    fn upload_pan(&mut self) -> Pan {
        let digits = self.within(12, 19) as usize;
        let mut text = self.text::<19>(b"0123456789");
        text[0] = self.pick(b"123456789");
        Pan::parse(&text[..digits]).unwrap()
    }

    fn original(&mut self) -> Original {
        Original {
            batch: self.batch(),
            stan: self.stan(),
            date: self.within(101, 1_231) as u16,
            rrn: self.maybe(|r| Rrn(r.text(b"0123456789"))),
            approval: self.maybe(|r| ApprovalCode(r.text(b"0123456789ABC"))),
        }
    }
}

struct Bench {
    module: SoftwareModule,
    mac: WrappedKey,
}

impl Bench {
    fn new() -> Self {
        let module = SoftwareModule::new([9; 32]);
        let clear = ClearKey::from_hex("0123456789ABCDEFFEDCBA9876543210").unwrap();
        let mac = module.import(KeyUsage::Mac, &clear).unwrap();
        Self { module, mac }
    }

    /// Through a terminal frame; with a MAC when the message has the place for one.
    fn terminal(&self, message: &Message, mac: MacCheck) -> (Message, Vec<u8>) {
        let mut frame = Vec::new();
        let key = message.has(64).then_some(&self.mac);
        wire::frame::write_terminal(
            &self.module,
            &TerminalHeader::COMMON,
            message,
            key,
            &mut frame,
        )
        .unwrap();
        let (_, body) = open_terminal(&frame).unwrap();
        let mut read = Message::new(Mti(0));
        Dialect::terminal().decode(body, &mut read).unwrap();
        assert_eq!(
            wire::frame::check_terminal_mac(&self.module, Some(&self.mac), body, &read),
            mac
        );
        (read, frame)
    }

    fn host(&self, mut message: Message) -> (Message, Vec<u8>) {
        let mut frame = Vec::new();
        let mac = message.has(128).then_some((MacAlgorithm::X919, &self.mac));
        let header = HostHeader::new(b"00010000", b"48020000");
        wire::frame::write_host(&self.module, &header, &mut message, mac, &mut frame).unwrap();
        let (_, body) = open_host(&frame).unwrap();
        let mut read = Message::new(Mti(0));
        Dialect::host().decode(body, &mut read).unwrap();
        let right = if mac.is_some() {
            MacCheck::Right
        } else {
            MacCheck::Absent
        };
        assert_eq!(
            wire::frame::check_host_mac(&self.module, MacAlgorithm::X919, Some(&self.mac), &read),
            right
        );
        (read, frame)
    }

    fn same_secrets(&self, one: &Secrets, other: &Secrets) {
        assert!(one.pan == other.pan && one.track2 == other.track2 && one.pin == other.pin);
        assert_eq!(one.pin_format, other.pin_format);
        assert_eq!(one.uploaded, other.uploaded);
    }
}

/// Kinds that a terminal speaks of.
fn at_terminals() -> impl Iterator<Item = Kind> {
    let all = Kind::ALL.iter().copied();
    all.filter(|kind| !kind.row().is_leg())
}

fn receiver(bench: &Bench, random: &mut Random, kind: Kind) -> Option<crypto::Card> {
    let pan = kind.row().receiver.then(|| random.pan())?;
    Some(bench.module.card(&pan, DAY).unwrap())
}

fn terminal_request(bench: &Bench, random: &mut Random, kind: Kind) -> Sealed {
    let optional_stan =
        |random: &mut Random| (kind.row().is_numbered() || random.coin()).then(|| random.stan());
    let origin = Origin {
        terminal: random.terminal(),
        merchant: random.merchant(),
        stan: optional_stan(random),
        batch: random.batch(),
    };
    let sign = random.maybe(Random::sign);
    let plain = |request| Sealed {
        request,
        secrets: Secrets::default(),
    };
    let (pan, financial) = (random.pan(), kind.row().is_financial());
    let (pin, track) = (financial && random.coin(), financial && random.coin());
    // A reversal withdraws anything that silence withdraws.
    let asked = match kind {
        Kind::Reversal => {
            let reversible = at_terminals().filter(|kind| kind.row().reversible());
            random.pick(&reversible.collect::<Vec<_>>())
        }
        kind => kind,
    };
    let sale = Sale {
        key: SaleKey {
            terminal: origin.terminal,
            merchant: origin.merchant,
            batch: origin.batch,
            stan: origin.stan.unwrap_or(Stan(1)),
        },
        kind: asked,
        amount: match asked.row().moves_money() {
            true => random.amount(),
            false => Amount::fen(0),
        },
        card: bench.module.card(&pan, DAY).unwrap(),
        entry: match asked.row().scanned {
            Some(true) => EntryMode::CODE,
            // Management codes leave no room for 60.5.
            _ if asked.row().network_code != 0 => random.entry(pin),
            _ => random.swiped(pin),
        },
        expiry: (track || random.coin()).then(|| random.within(0, 9_999) as u16),
        card_sequence: random.maybe(|r| r.within(0, 999) as u16),
        original: asked.row().original.map(|_| random.original()),
        tip_minor: match asked {
            Kind::TipAdjustment => random.maybe(|r| r.within(0, 99_999)),
            _ => None,
        },
        linked: match asked.row().processing {
            Some(_) => random.maybe(|r| r.linked(origin.merchant)),
            None => Some(random.linked(origin.merchant)),
        },
        to: receiver(bench, random, asked),
    };
    match kind.row().flow {
        Flow::Management => plain(Request::Management { kind, origin }),
        Flow::Online | Flow::Advice | Flow::Stored => Sealed {
            request: Request::Financial { sale, sign },
            secrets: random.secrets(pan, pin, track),
        },
        Flow::Reversal => Sealed {
            request: Request::Reversal {
                sale,
                reason: random.code(),
                sign,
            },
            secrets: random.secrets(pan, false, false),
        },
        Flow::Query => plain(Request::Query {
            origin,
            original: (random.batch(), random.stan()),
            sign,
        }),
        Flow::Report => plain(Request::IdleReport {
            origin,
            sign: random.sign(),
        }),
        Flow::Batch if kind == Kind::Settlement => plain(Request::Settle {
            origin,
            totals: random.totals(),
            mac: random.coin(),
        }),
        Flow::Batch => upload(bench, random, origin, sale),
        Flow::Download(download, step) => {
            let asked = match (download, step) {
                (Download::Parameters, _) | (_, Step::End) => Asked::Whole,
                (_, Step::List) => Asked::Behind(random.within(0, 99) as u8),
                (Download::PublicKeys, Step::Take) => Asked::Item(ItemName::Key(KeyName {
                    rid: random.bytes(),
                    index: random.within(0, 255) as u8,
                })),
                (Download::Applications, Step::Take) => {
                    let length = random.within(5, 16) as usize;
                    let name = Aid::new(&random.bytes::<16>()[..length]);
                    Asked::Item(ItemName::Application(name.unwrap()))
                }
            };
            plain(Request::Download(DownloadRequest {
                kind,
                origin,
                asked,
                mac: random.coin(),
            }))
        }
    }
}

/// The last word of a chip, approved or not.
fn chip_upload(bench: &Bench, random: &mut Random, secrets: &mut Secrets) -> ChipUpload {
    let outcome = match random.coin() {
        true => {
            let pan = random.pan();
            let card = bench.module.card(&pan, DAY).unwrap();
            secrets.pan = Some(pan);
            ChipOutcome::Approved(card)
        }
        false => ChipOutcome::Failed(
            random.pick(&[Kind::Purchase, Kind::PreAuth]),
            random.pick(&[ChipFailure::IssuerWrong, ChipFailure::Declined]),
        ),
    };
    secrets.chip = ChipRequest::new(&random.bytes::<40>());
    ChipUpload {
        balanced: random.coin(),
        entry: random.pick(&[EntryMode::CHIP, EntryMode::CHIP_PIN, EntryMode::TAP]),
        card_sequence: random.maybe(|r| r.within(0, 999) as u16),
        amount_minor: random.within(0, 999_999_999_999),
        foreign: random.coin(),
        outcome,
    }
}

/// A part of a batch: sales with their card numbers beside them, an advice once more, or the end.
fn upload(bench: &Bench, random: &mut Random, origin: Origin, sale: Sale) -> Sealed {
    let mut secrets = Secrets::default();
    let part = match random.within(0, 3) {
        2 => UploadPart::Chip(chip_upload(bench, random, &mut secrets)),
        0 => {
            let one = |random: &mut Random| Uploaded {
                stan: random.stan(),
                card: bench.module.card(&random.upload_pan(), DAY).unwrap(),
                amount_minor: random.within(0, 999_999_999_999),
            };
            secrets.uploaded = (0..random.within(1, 8)).map(|_| one(random)).collect();
            UploadPart::Sales(secrets.uploaded.len() as u8)
        }
        1 => {
            let advices = Kind::ALL.iter().filter(|kind| {
                let row = kind.row();
                row.is_advice() && row.moves_money() && row.scanned.is_none()
            });
            let kind = random.pick(&advices.copied().collect::<Vec<_>>());
            let pan = random.pan();
            let sale = Sale {
                kind,
                amount: random.amount(),
                card: bench.module.card(&pan, DAY).unwrap(),
                original: kind.row().original.map(|_| random.original()),
                tip_minor: None,
                ..sale
            };
            secrets.pan = Some(pan);
            UploadPart::Advice(sale)
        }
        _ => UploadPart::End {
            records: random.within(0, 9_999) as u16,
            balanced: random.coin(),
        },
    };
    let mac = random.coin();
    Sealed {
        request: Request::Upload { origin, part, mac },
        secrets,
    }
}

#[test]
fn terminal_requests_come_back_as_they_were() {
    let bench = Bench::new();
    for round in 0..ROUNDS {
        for kind in at_terminals() {
            let mut random = Random(round << 8 | kind as u64);
            let sealed = terminal_request(&bench, &mut random, kind);
            let mut message = Message::new(Mti(0));
            wire::terminal::write_request(&sealed, &bench.module, &mut message).unwrap();
            let mac = if sealed.request.carries_mac() {
                MacCheck::Right
            } else {
                MacCheck::Absent
            };
            let (read, frame) = bench.terminal(&message, mac);
            let back = wire::terminal::read_request(&read, &bench.module, DAY).unwrap();
            assert_eq!(back.request, sealed.request, "round {round} {kind:?}");
            bench.same_secrets(&back.secrets, &sealed.secrets);
            if kind == Kind::BatchUpload {
                assert!(back.secrets.chip == sealed.secrets.chip);
            }
            damaged(&mut random, &frame, |body, message| {
                if Dialect::terminal().decode(body, message).is_ok() {
                    let _ = wire::terminal::read_request(message, &bench.module, DAY);
                }
            });
        }
    }
}

#[test]
fn terminal_answers_come_back_as_they_were() {
    let bench = Bench::new();
    let standings = |random: &mut Random| {
        let declined = Standing::Declined(random.code());
        let all = [
            Standing::Approved,
            declined,
            Standing::InProgress,
            Standing::Reversing,
            Standing::Reversed {
                never_debited: false,
            },
            Standing::Reversed {
                never_debited: true,
            },
            Standing::Case,
            Standing::NeverSeen,
        ];
        (random.pick(&all), random.within(0, 99_999) as u32)
    };
    let code = |random: &mut Random| {
        random.pick(&[
            Reconciled::Balanced,
            Reconciled::Unbalanced,
            Reconciled::Failed,
        ])
    };
    let codes = |random: &mut Random| BlockCodes {
        domestic: code(random),
        foreign: code(random),
    };
    for round in 0..ROUNDS {
        for kind in at_terminals() {
            let mut random = Random(round << 8 | 0x80 | kind as u64);
            let request = terminal_request(&bench, &mut random, kind).request;
            let answer = Answer {
                rrn: random.maybe(|r| Rrn(r.text(b"0123456789"))),
                approval: random.maybe(|r| ApprovalCode(r.text(b"0123456789ABC"))),
                local: random.maybe(|r| (r.within(0, 235_959) as u32, r.within(101, 1_231) as u16)),
                settlement: random.maybe(|r| r.within(101, 1_231) as u16),
                acquirer: random.maybe(Random::institution),
                balance: match kind {
                    Kind::BalanceInquiry => {
                        random.maybe(|r| r.within(0, 1_999_999_999_998) as i64 - 999_999_999_999)
                    }
                    _ => None,
                },
                standing: if kind == Kind::ResultQuery {
                    random.maybe(standings)
                } else {
                    None
                },
                keys: if kind == Kind::SignOn {
                    random.maybe(|r| KeysField(r.bytes()))
                } else {
                    None
                },
                link: random.maybe(|r| LinkId(r.bytes())),
                compared: match kind {
                    Kind::Settlement => random.maybe(|r| (r.totals(), codes(r))),
                    _ => None,
                },
                guard: random.maybe(|r| r.sale(request.origin().merchant)),
                piece: match kind.row().flow {
                    Flow::Download(..) => random.maybe(|r| Piece::new(&r.bytes::<300>()).unwrap()),
                    _ => None,
                },
                versions: random.maybe(|r| Versions {
                    parameters: r.within(0, 9_999) as u16,
                    public_keys: r.within(0, 9_999) as u16,
                    applications: r.within(0, 9_999) as u16,
                }),
                ..Answer::to(&request, random.code())
            };
            assert!(answer.answers(&request));
            let (mut message, mac) = (Message::new(Mti(0)), random.coin());
            wire::terminal::write_answer(&answer, mac, &mut message);
            let (read, frame) = bench.terminal(
                &message,
                if mac {
                    MacCheck::Right
                } else {
                    MacCheck::Absent
                },
            );
            assert_eq!(
                wire::terminal::read_answer(&read, kind),
                Ok(answer),
                "round {round} {kind:?}"
            );
            damaged(&mut random, &frame, |body, message| {
                if Dialect::terminal().decode(body, message).is_ok() {
                    let _ = wire::terminal::read_answer(message, kind);
                }
            });
        }
    }
}

fn host_request(bench: &Bench, random: &mut Random, which: u64) -> host::Sealed {
    let served: Vec<Kind> = Kind::ALL
        .iter()
        .copied()
        .filter(|kind| match which {
            2 => kind.row().reversible() && kind.row().is_financial(),
            _ => kind.row().is_financial(),
        })
        .collect();
    let kind = random.pick(&served);
    let pan = random.pan();
    let (pin, track) = (which < 2 && random.coin(), which < 2 && random.coin());
    let sale = host::Financial {
        key: random.host_key(),
        kind,
        amount: match kind.row().moves_money() {
            true => random.amount(),
            false => Amount::fen(0),
        },
        card: bench.module.card(&pan, DAY).unwrap(),
        entry: random.entry(pin),
        expiry: (track || random.coin()).then(|| random.within(0, 9_999) as u16),
        settlement: random.maybe(|r| r.within(101, 1_231) as u16),
        local: (
            random.within(0, 235_959) as u32,
            random.within(101, 1_231) as u16,
        ),
        category: random.within(0, 9_999) as u16,
        rrn: Rrn(random.text(b"0123456789")),
        terminal: random.terminal(),
        merchant: random.merchant(),
        original: kind
            .row()
            .original
            .filter(|_| which < 2)
            .map(|_| random.host_key()),
        to: receiver(bench, random, kind),
    };
    let request = match which {
        0 | 1 => host::Request::Financial(sale),
        2 => host::Request::Reversal(host::Reversal {
            key: random.host_key(),
            original: sale.key,
            reason: ReversalReason(random.within(0, 9_999) as u16),
            sale,
        }),
        _ => {
            let request = host::Management {
                key: random.host_key(),
                code: random.pick(&NetworkCode::ALL),
                keys: random.maybe(host_keys),
            };
            return host::Sealed {
                request: host::Request::Management(request),
                secrets: Secrets::default(),
            };
        }
    };
    host::Sealed {
        request,
        secrets: random.secrets(pan, pin, track),
    }
}

fn host_keys(random: &mut Random) -> host::HostKeys {
    host::HostKeys {
        pin: (random.bytes(), random.bytes()),
        mac: (random.bytes(), random.bytes()),
    }
}

#[test]
fn host_messages_come_back_as_they_were() {
    let bench = Bench::new();
    for (round, which) in (0..ROUNDS).flat_map(|round| (0..4).map(move |which| (round, which))) {
        let mut random = Random(round << 8 | which);
        let sealed = host_request(&bench, &mut random, which);
        let mut message = Message::new(Mti(0));
        wire::host::write_request(&sealed, &bench.module, &mut message).unwrap();
        let (read, frame) = bench.host(message);
        let back = wire::host::read_request(&read, &bench.module, DAY).unwrap();
        assert_eq!(back.request, sealed.request, "round {round} {which}");
        bench.same_secrets(&back.secrets, &sealed.secrets);
        damaged(&mut random, &frame, |body, message| {
            if Dialect::host().decode(body, message).is_ok() {
                let _ = wire::host::read_request(message, &bench.module, DAY);
            }
        });
        let mut answer = host::Answer::to(&sealed.request, random.code());
        assert!(answer.answers(&sealed.request));
        if answer.kind == AnswerKind::Management {
            answer.management = answer
                .management
                .map(|(code, _)| (code, random.maybe(host_keys)));
        } else {
            answer.approval = random.maybe(|r| ApprovalCode(r.text(b"0123456789ABC")));
            answer.receiver = random.maybe(Random::institution);
            answer.settlement = random.maybe(|r| r.within(101, 1_231) as u16);
        }
        if answer.about == Some(Kind::BalanceInquiry) {
            answer.balance =
                random.maybe(|r| r.within(0, 1_999_999_999_998) as i64 - 999_999_999_999);
        }
        let mut message = Message::new(Mti(0));
        wire::host::write_answer(&answer, &mut message);
        let (read, frame) = bench.host(message);
        assert_eq!(
            wire::host::read_answer(&read),
            Ok(answer),
            "round {round} {which}"
        );
        damaged(&mut random, &frame, |body, message| {
            if Dialect::host().decode(body, message).is_ok() {
                let _ = wire::host::read_answer(message);
            }
        });
    }
}

/// Reads the frame's body with a few bytes changed or cut off: an error or another message, never a panic.
fn damaged(random: &mut Random, frame: &[u8], mut read: impl FnMut(&[u8], &mut Message)) {
    let mut message = Message::new(Mti(0));
    for _ in 0..8 {
        let mut frame = frame.to_vec();
        for _ in 0..random.within(1, 3) {
            let at = random.within(0, frame.len() as u64 - 1) as usize;
            frame[at] = random.next() as u8;
        }
        frame.truncate(random.within(1, frame.len() as u64) as usize);
        if let Ok((_, body)) = open_terminal(&frame) {
            read(body, &mut message);
        }
        if let Ok((_, body)) = open_host(&frame) {
            read(body, &mut message);
        }
        // Behind an intact header most of the damage is met.
        for start in [13, 48] {
            if let Some(body) = frame.get(start..) {
                read(body, &mut message);
            }
        }
    }
}
