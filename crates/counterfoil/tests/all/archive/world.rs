//! Small worlds of hand-made records: four parties, five sales or a deal of every kind, and their journals on disk.

use acquirer::{FirstAnswer, Reply};
use counterfoil::archive::{self, Role};
use counterfoil::fleet;
use counterfoil::journal::{Journal, push_record};
use crypto::{Card, Pan, SecurityModule, SoftwareModule};
use issuer::{SUSPENSE, Tries};
use ledger::{AccountId, AccountRules, Entry, Side, Transfer, TransferId};
use payment::evidence::{Confirmation, ReversalCause, Upstream};
use payment::host::{self, Financial, ReversalReason};
use payment::relay::RelayRecord;
use payment::sign::{SlipEvidence, Trouble};
use payment::terminal::{Request, Sale};
use payment::{
    Amount, ApprovalCode, Batch, EntryMode, HostKey, Institution, Kind, MerchantId, Mono, Now,
    Original, Posting, ResponseCode, Rrn, SaleKey, SignOutcome, Stan, TerminalId, Wall,
};
use receipt::{CopyOf, Language, Paper, SlipFields, SpoolRecord, Title};
use rusqlite::types::ValueRef;
use serde::Serialize;
use std::path::PathBuf;
use tempfile::TempDir;

/// 2026-01-05 12:00:00 in China: long before any verification.
pub const START: i64 = 1_767_585_600_000;
pub const TERMINAL: TerminalId = TerminalId(*b"T0000001");
pub const SHOP: MerchantId = MerchantId(*b"898310154110001");
pub const US: Institution = Institution(48_020_000);
pub const BANK: Institution = Institution(3_080_000);
pub const FUNDS: AccountId = AccountId(issuer::AVAILABLE_FROM);
pub const CARDHOLDER: AccountId = AccountId(1_000);
pub const PAN: &str = "6228480000000007";

pub fn now(step: usize) -> Now {
    Now {
        mono: Mono(step as u64 * 10_000),
        wall: Wall(START + step as i64 * 10),
    }
}

pub fn card() -> Card {
    SoftwareModule::new([1; 32])
        .card(&Pan::parse(PAN.as_bytes()).unwrap(), 1)
        .unwrap()
}

fn other_card() -> Card {
    SoftwareModule::new([1; 32])
        .card(&Pan::parse(b"6225880000000019").unwrap(), 1)
        .unwrap()
}

/// A transaction as everybody has it.
#[derive(Clone, Copy)]
pub struct Deal {
    pub n: u32,
    pub kind: Kind,
    pub minor: u64,
    /// The number of the earlier one.
    pub original: Option<u32>,
    /// What it adds to the merchant's money.
    pub moved: i64,
}

impl Deal {
    pub fn sale(self) -> Sale {
        let named = |n| Original {
            batch: Batch(1),
            stan: Stan(n),
            date: 105,
            rrn: Some(rrn(n)),
            approval: None,
        };
        Sale {
            key: key(self.n),
            kind: self.kind,
            amount: Amount {
                minor: self.minor,
                currency: self.kind.row().unit,
            },
            card: card(),
            entry: EntryMode::STRIPE,
            expiry: None,
            card_sequence: None,
            original: self.original.map(named),
            tip_minor: None,
            linked: None,
            to: self.kind.row().receiver.then(other_card),
        }
    }

    pub fn financial(self) -> Financial {
        let Sale {
            key,
            kind,
            amount,
            card,
            entry,
            expiry,
            to,
            ..
        } = self.sale();
        Financial {
            key: host_key(self.n),
            kind,
            amount,
            card,
            entry,
            expiry,
            settlement: None,
            local: (120_000, 105),
            category: 5_411,
            rrn: rrn(self.n),
            terminal: key.terminal,
            merchant: key.merchant,
            original: self.original.map(host_key),
            to,
        }
    }

    /// The debit, the credit or the hold that it is when nothing else is said.
    pub fn entry(self) -> Entry {
        let transfer = match self.moved {
            ..0 => transfer(
                u128::from(self.n),
                SUSPENSE,
                CARDHOLDER,
                self.moved.unsigned_abs(),
            ),
            0 => transfer(u128::from(self.n), CARDHOLDER, SUSPENSE, self.minor),
            1.. => transfer(
                u128::from(self.n),
                CARDHOLDER,
                SUSPENSE,
                self.moved.unsigned_abs(),
            ),
        };
        match self.kind.row().posting {
            Posting::Hold | Posting::HoldMore => hold(transfer),
            _ => Entry::Post { transfer },
        }
    }
}

pub fn hold(transfer: Transfer) -> Entry {
    Entry::Hold {
        transfer,
        expires_at_ms: None,
    }
}

pub fn purchase(n: u32) -> Deal {
    let minor = 100 + u64::from(n);
    Deal {
        n,
        kind: Kind::Purchase,
        minor,
        original: None,
        moved: minor as i64,
    }
}

pub fn key(n: u32) -> SaleKey {
    SaleKey {
        terminal: TERMINAL,
        merchant: SHOP,
        batch: Batch(1),
        stan: Stan(n),
    }
}

pub fn sale(n: u32) -> Sale {
    purchase(n).sale()
}

pub fn rrn(n: u32) -> Rrn {
    Rrn::parse(format!("6005{n:08}").as_bytes()).unwrap()
}

pub fn host_key(n: u32) -> HostKey {
    HostKey {
        transmission: 105_120_000,
        stan: Stan(n),
        acquirer: US,
        forwarder: US,
    }
}

pub fn financial(n: u32) -> Financial {
    purchase(n).financial()
}

pub fn transfer(id: u128, debit: AccountId, credit: AccountId, minor: u64) -> Transfer {
    Transfer {
        id: TransferId(id),
        debit,
        credit,
        amount_minor: minor,
        currency: ledger::Currency::CNY,
    }
}

/// The records of four parties.
#[derive(Clone, Default)]
pub struct World {
    pub acquirer: Vec<acquirer::Record>,
    pub network: Vec<network::Record>,
    pub issuer: Vec<issuer::Record>,
    pub terminal: Vec<fleet::Record>,
}

impl World {
    /// An open bank, and five sales: paid and printed, declined, reversed by the terminal, unconfirmed, and one-sided.
    pub fn new() -> Self {
        let mut world = Self::opened();
        world.ask(1);
        world.answer(1, true);
        world.end(1, approved(1));
        world.print(1);
        world.confirm(1, SlipEvidence::paper(4, Trouble::None));
        world.ask(2);
        world.answer(2, false);
        world.end(
            2,
            terminal::Ending::Declined(ResponseCode::INSUFFICIENT_FUNDS),
        );
        world.ask(3);
        world.answer(3, true);
        world.reverse(3);
        world.end(
            3,
            terminal::Ending::Reversed {
                never_debited: false,
            },
        );
        world.ask(4);
        world.answer(4, true);
        world.end(4, approved(4));
        world.ask(5);
        world.answer(5, true);
        world.acquirer.push(acquirer::Record::OneSided {
            key: sale(5).key,
            case: 1,
            at: now(50),
        });
        world
    }

    /// A deal of every kind that moves money or holds it: refunded, voided, a void reversed, held, completed, taken back,
    /// released, adjusted, and an advice on its way.
    pub fn of_kinds() -> Self {
        let mut world = Self::opened();
        for (deal, entries) in kinds() {
            world.deal(deal, entries);
        }
        // A void that was reversed: its original stands.
        let void = deal(23, Kind::Void, 600, Some(22), -600);
        world.ask_for(void);
        world.answer_for(void, vec![void.entry()]);
        world.take_back(void, vec![reverse(523, 23)]);
        world.end(
            23,
            terminal::Ending::Reversed {
                never_debited: false,
            },
        );
        // An offline sale that nobody has answered yet.
        let late = deal(30, Kind::OfflineSale, 444, None, 444);
        world.ask_for(late);
        // Of a till of its own, so that its advice does not go before those of a test.
        let own = world.terminal.iter_mut().rev().take(2);
        own.for_each(|record| record.place = 1);
        world.acquirer.push(acquirer::Record::Deferred {
            key: key(30),
            upstream: Upstream::NetworkGaveUp,
            next: now(60).mono,
        });
        world
    }

    fn opened() -> Self {
        let mut world = Self::default();
        let open = |account, rules| Entry::Open { account, rules };
        let clearing = |side| AccountRules::open(ledger::Currency::CNY, side);
        world.issuer.push(issuer::Record::Opened {
            cards: vec![card().token],
            entries: vec![
                open(FUNDS, clearing(Side::Debit)),
                open(SUSPENSE, clearing(Side::Credit)),
                open(CARDHOLDER, AccountRules::deposit(ledger::Currency::CNY)),
                Entry::Post {
                    transfer: transfer(1_000_000, FUNDS, CARDHOLDER, 100_000),
                },
            ],
        });
        world
    }

    pub fn ask(&mut self, n: u32) {
        self.ask_for(purchase(n));
    }

    pub fn ask_for(&mut self, deal: Deal) {
        let (n, sale) = (deal.n, deal.sale());
        let (at, reply) = (
            now(n as usize),
            Reply {
                exchange: 1,
                tpdu: [0; 5],
                header: [0; 6],
            },
        );
        if sale.kind.row().is_advice() {
            self.till(terminal::Record::Stored { sale, at });
        }
        self.till(terminal::Record::Asked {
            exchange: u64::from(n),
            request: Request::Financial { sale, sign: None },
            at,
            deadline: at.mono.plus_ms(60_000),
        });
        self.acquirer.push(acquirer::Record::Forwarded {
            sale,
            rrn: rrn(n),
            host: host_key(n),
            at,
            reply,
            deadline: at.mono.plus_ms(25_000),
            original: deal.original.map(key),
            moved_minor: deal.moved,
        });
        let deadline = at.mono.plus_ms(20_000);
        self.network.push(network::Record::Forwarded {
            sale: deal.financial(),
            issuer: BANK,
            deadline,
            at,
        });
    }

    pub fn answer(&mut self, n: u32, yes: bool) {
        let deal = purchase(n);
        match yes {
            true => self.answer_for(deal, vec![deal.entry()]),
            false => self.refuse(deal),
        }
    }

    pub fn answer_for(&mut self, deal: Deal, entries: Vec<Entry>) {
        self.answered(deal, ResponseCode::APPROVED, entries);
    }

    pub fn refuse(&mut self, deal: Deal) {
        self.answered(deal, ResponseCode::INSUFFICIENT_FUNDS, Vec::new());
    }

    fn answered(&mut self, deal: Deal, code: ResponseCode, entries: Vec<Entry>) {
        let (at, sale) = (now(deal.n as usize), deal.financial());
        let yes = code.is_success();
        let approval = yes.then_some(ApprovalCode(*b"000001"));
        let answered = issuer::Answered {
            at,
            sale,
            code,
            approval,
            balance: None,
            entries,
            moved_minor: if yes { deal.moved } else { 0 },
            tries: Tries::Unchanged,
            chip_counter: None,
            scripts_done: None,
            chip: None,
        };
        self.network.push(network::Record::Answered {
            answer: answered.answer(BANK),
            at,
        });
        self.issuer.push(issuer::Record::Answered(answered));
        let answer = FirstAnswer {
            code,
            approval,
            settlement: None,
            balance: None,
            chip: None,
            at: at.wall,
        };
        let waits = yes && deal.kind.row().reversible();
        self.acquirer.push(acquirer::Record::Answered {
            key: key(deal.n),
            answer,
            confirm_by: waits.then(|| at.mono.plus_ms(10_000)),
        });
    }

    /// The whole loop of an approval.
    pub fn deal(&mut self, deal: Deal, entries: Vec<Entry>) {
        self.ask_for(deal);
        self.answer_for(deal, entries);
        let (ending, at) = (approved_for(deal), now(deal.n as usize + 1));
        if deal.kind.row().is_advice() {
            let link = None;
            self.till(terminal::Record::AdviceEnded { ending, at, link });
        } else {
            self.end(deal.n, ending);
            self.acquirer.push(acquirer::Record::Confirmed {
                key: key(deal.n),
                confirmation: Confirmation::Implied,
            });
        }
    }

    pub fn reverse(&mut self, n: u32) {
        self.take_back(
            purchase(n),
            vec![reverse(u128::from(n) + 500, u128::from(n))],
        );
    }

    pub fn take_back(&mut self, deal: Deal, entries: Vec<Entry>) {
        let n = deal.n;
        let (at, key, advice) = (now(n as usize), key(n), host_key(n + 500));
        let reason = ReversalReason::TERMINAL_CANCELS;
        let reversal = host::Reversal {
            key: advice,
            original: host_key(n),
            reason,
            sale: deal.financial(),
        };
        self.till(terminal::Record::ReversalPending {
            reason: ResponseCode::ISSUER_TIMEOUT,
            next: at.mono,
        });
        self.acquirer.extend([
            acquirer::Record::Reversing {
                key,
                cause: ReversalCause::Terminal(ResponseCode::ISSUER_TIMEOUT),
                upstream: Upstream::Approved,
                advice,
                reason,
                at,
            },
            acquirer::Record::Relay(RelayRecord::Tried {
                key: advice,
                next: at.mono.plus_ms(500),
            }),
        ]);
        self.network.push(network::Record::AdviceTaken {
            reversal,
            issuer: BANK,
            at,
        });
        self.network.push(network::Record::AdviceTried {
            key: advice,
            next: at.mono.plus_ms(500),
            at,
        });
        let code = ResponseCode::APPROVED;
        let returned = issuer::Returned {
            at,
            reversal,
            code,
            entries,
            effective: true,
            barred: false,
        };
        self.issuer.push(issuer::Record::Returned(returned));
        self.network.push(network::Record::AdviceConfirmed {
            key: advice,
            code,
            at,
        });
        self.acquirer.push(acquirer::Record::ReversalAnswered {
            key,
            code,
            case: None,
        });
    }

    pub fn end(&mut self, n: u32, ending: terminal::Ending) {
        self.till(terminal::Record::Ended {
            ending,
            at: now(n as usize + 1),
        });
    }

    pub fn print(&mut self, n: u32) {
        let (slip_id, copy) = (terminal::slip_id(Batch(1), Stan(n)), CopyOf::Merchant);
        let fields = Box::new(SlipFields {
            title: Title::Purchase,
            merchant_name: String::new(),
            merchant_id: SHOP.to_string(),
            terminal_id: TERMINAL.to_string(),
            operator: "01".to_owned(),
            issuer: String::new(),
            acquirer: String::new(),
            masked_pan: card().masked(),
            entry_letter: 'S',
            transaction: ("消费".to_owned(), "Purchase".to_owned()),
            batch: 1,
            voucher: n,
            auth_code: None,
            rrn: None,
            date_time: now(0).wall.text(),
            amount_minor: sale(n).amount.minor,
            headline: (String::new(), String::new()),
            remarks: Vec::new(),
            signature_required: true,
            verification: None,
            chip: None,
            link: None,
            training: false,
        });
        let (language, paper) = (Language::Zh, Paper::Mm58);
        for record in [
            SpoolRecord::Submitted {
                at_us: 1,
                slip_id,
                copy,
                language,
                paper,
                fields,
            },
            SpoolRecord::Started {
                at_us: 2,
                slip_id,
                copy,
                job: 0,
                wait_us: 1,
            },
            SpoolRecord::Wrote { job: 0 },
            SpoolRecord::Printed { at_us: 3, job: 0 },
        ] {
            self.till(terminal::Record::Spool(record));
        }
    }

    pub fn confirm(&mut self, n: u32, slip: SlipEvidence) {
        let confirmation = Confirmation::Signed(SignOutcome::Approved, slip);
        self.acquirer.push(acquirer::Record::Confirmed {
            key: sale(n).key,
            confirmation,
        });
    }

    pub fn till(&mut self, record: terminal::Record) {
        self.terminal.push(fleet::Record { place: 0, record });
    }

    /// Journals of all parties, one record a row.
    pub fn write(&self) -> Disk {
        let disk = Disk(tempfile::tempdir().unwrap());
        append(&mut disk.journal(Role::Acquirer), &self.acquirer);
        append(&mut disk.journal(Role::Network), &self.network);
        append(&mut disk.journal(Role::Issuer), &self.issuer);
        append(&mut disk.journal(Role::Terminal), &self.terminal);
        disk
    }
}

pub fn deal(n: u32, kind: Kind, minor: u64, original: Option<u32>, moved: i64) -> Deal {
    Deal {
        n,
        kind,
        minor,
        original,
        moved,
    }
}

pub fn reverse(id: u128, original: u128) -> Entry {
    Entry::Reverse {
        id: TransferId(id),
        original: TransferId(original),
    }
}

pub fn void(id: u128, hold: u128) -> Entry {
    Entry::VoidHold {
        id: TransferId(id),
        hold: TransferId(hold),
    }
}

/// What all went well with, and what each does to the bank's books.
fn kinds() -> Vec<(Deal, Vec<Entry>)> {
    let plain = |deal: Deal| (deal, vec![deal.entry()]);
    vec![
        plain(deal(10, Kind::Purchase, 1_000, None, 1_000)),
        plain(deal(11, Kind::Refund, 300, Some(10), -300)),
        plain(deal(12, Kind::Purchase, 500, None, 500)),
        plain(deal(13, Kind::Void, 500, Some(12), -500)),
        plain(deal(14, Kind::PreAuth, 800, None, 0)),
        plain(deal(15, Kind::IncrementalAuth, 200, Some(14), 0)),
        (
            deal(16, Kind::Completion, 900, Some(14), 900),
            vec![
                void(1_016, 14),
                void(1_116, 15),
                Entry::Post {
                    transfer: transfer(16, CARDHOLDER, SUSPENSE, 900),
                },
            ],
        ),
        (
            deal(17, Kind::CompletionVoid, 900, Some(16), -900),
            vec![
                Entry::Post {
                    transfer: transfer(17, SUSPENSE, CARDHOLDER, 900),
                },
                hold(transfer(1_017, CARDHOLDER, SUSPENSE, 1_000)),
            ],
        ),
        plain(deal(18, Kind::PreAuth, 400, None, 0)),
        (
            deal(19, Kind::PreAuthVoid, 400, Some(18), 0),
            vec![void(1_019, 18)],
        ),
        plain(deal(20, Kind::PreAuth, 250, None, 0)),
        (
            deal(21, Kind::CompletionAdvice, 240, Some(20), 240),
            vec![
                void(1_021, 20),
                Entry::Post {
                    transfer: transfer(21, CARDHOLDER, SUSPENSE, 240),
                },
            ],
        ),
        plain(deal(22, Kind::Purchase, 600, None, 600)),
        plain(deal(24, Kind::OfflineSale, 700, None, 700)),
        plain(deal(25, Kind::Adjustment, 750, Some(24), 50)),
        plain(deal(26, Kind::Purchase, 1_000, None, 1_000)),
        plain(deal(27, Kind::TipAdjustment, 1_200, Some(26), 200)),
        plain(deal(28, Kind::PreAuth, 333, None, 0)),
    ]
}

pub fn approved(n: u32) -> terminal::Ending {
    approved_for(purchase(n))
}

pub fn approved_for(deal: Deal) -> terminal::Ending {
    terminal::Ending::Approved(terminal::Approval {
        code: ResponseCode::APPROVED,
        amount: deal.sale().amount,
        rrn: Some(rrn(deal.n)),
        approval: Some(ApprovalCode(*b"000001")),
        recovered: false,
    })
}

pub struct Disk(pub TempDir);

impl Disk {
    pub fn data(&self, role: Role) -> PathBuf {
        self.0.path().join(role.name())
    }

    pub fn all(&self) -> Vec<PathBuf> {
        Role::ALL.map(|role| self.data(role)).to_vec()
    }

    pub fn journal(&self, role: Role) -> Journal {
        std::fs::create_dir_all(self.data(role)).unwrap();
        Journal::open(
            &archive::journal_path(&self.data(role)),
            role.name(),
            "sandbox",
        )
        .unwrap()
    }

    pub fn rebuild_all(&self) {
        for role in Role::ALL {
            archive::rebuild(&self.data(role)).unwrap();
        }
    }

    /// The rows as text, their columns joined.
    pub fn query(&self, role: Role, sql: &str) -> Vec<String> {
        let archive = archive::read(&self.data(role)).unwrap();
        let mut statement = archive.prepare(sql).unwrap();
        let columns = statement.column_count();
        let text = |row: &rusqlite::Row<'_>| {
            let values: Vec<String> = (0..columns)
                .map(|at| text(row.get_ref(at).unwrap()))
                .collect();
            Ok(values.join(" "))
        };
        statement
            .query_map([], text)
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }

    /// Every row of every table.
    pub fn dump(&self, role: Role) -> String {
        let tables = self.query(
            role,
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
        );
        let rows = |name: &String| {
            self.query(role, &format!("SELECT * FROM {name}"))
                .join("\n")
        };
        tables
            .iter()
            .map(|name| format!("{name}\n{}\n", rows(name)))
            .collect()
    }

    pub fn spoil(&self, role: Role, sql: &str) {
        rusqlite::Connection::open(archive::path(&self.data(role)))
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    }
}

pub fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "-".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
        other => format!("{other:?}"),
    }
}

pub fn append<R: Serialize>(journal: &mut Journal, records: &[R]) {
    for record in records {
        let mut blob = Vec::new();
        push_record(&mut blob, record).unwrap();
        journal
            .append(now(journal.head().seq as usize), &blob)
            .unwrap();
    }
}
