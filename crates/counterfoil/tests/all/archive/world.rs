//! A small world of hand-made records: four parties, five sales, and their journals on disk.

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
    ResponseCode, Rrn, SaleKey, SignOutcome, Stan, TerminalId, Wall,
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

pub fn sale(n: u32) -> Sale {
    Sale {
        key: SaleKey {
            terminal: TERMINAL,
            merchant: SHOP,
            batch: Batch(1),
            stan: Stan(n),
        },
        kind: Kind::Purchase,
        amount: Amount::fen(100 + u64::from(n)),
        card: card(),
        entry: EntryMode::STRIPE,
        expiry: None,
        card_sequence: None,
    }
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
    let Sale {
        key,
        kind,
        amount,
        card,
        entry,
        expiry,
        ..
    } = sale(n);
    Financial {
        key: host_key(n),
        kind,
        amount,
        card,
        entry,
        expiry,
        settlement: None,
        local: (120_000, 105),
        category: 5_411,
        rrn: rrn(n),
        terminal: key.terminal,
        merchant: key.merchant,
    }
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

    pub fn ask(&mut self, n: u32) {
        let (at, reply) = (
            now(n as usize),
            Reply {
                exchange: 1,
                tpdu: [0; 5],
                header: [0; 6],
            },
        );
        self.till(terminal::Record::Asked {
            exchange: u64::from(n),
            request: Request::Financial {
                sale: sale(n),
                sign: None,
            },
            at,
            deadline: at.mono.plus_ms(60_000),
        });
        self.acquirer.push(acquirer::Record::Forwarded {
            sale: sale(n),
            rrn: rrn(n),
            host: host_key(n),
            at,
            reply,
            deadline: at.mono.plus_ms(25_000),
        });
        let deadline = at.mono.plus_ms(20_000);
        self.network.push(network::Record::Forwarded {
            sale: financial(n),
            issuer: BANK,
            deadline,
            at,
        });
    }

    pub fn answer(&mut self, n: u32, yes: bool) {
        let (at, sale) = (now(n as usize), financial(n));
        let code = if yes {
            ResponseCode::APPROVED
        } else {
            ResponseCode::INSUFFICIENT_FUNDS
        };
        let approval = yes.then_some(ApprovalCode(*b"000001"));
        let entry = yes.then(|| Entry::Post {
            transfer: transfer(u128::from(n), CARDHOLDER, SUSPENSE, sale.amount.minor),
        });
        let tries = Tries::Unchanged;
        let answered = issuer::Answered {
            at,
            sale,
            code,
            approval,
            balance: None,
            entry,
            tries,
        };
        self.issuer.push(issuer::Record::Answered(answered));
        self.network.push(network::Record::Answered {
            answer: answered.answer(BANK),
            at,
        });
        let answer = FirstAnswer {
            code,
            approval,
            settlement: None,
            balance: None,
            at: at.wall,
        };
        let confirm_by = yes.then(|| at.mono.plus_ms(10_000));
        self.acquirer.push(acquirer::Record::Answered {
            key: self::sale(n).key,
            answer,
            confirm_by,
        });
    }

    pub fn reverse(&mut self, n: u32) {
        let (at, key, advice) = (now(n as usize), sale(n).key, host_key(n + 500));
        let reason = ReversalReason::TERMINAL_CANCELS;
        let reversal = host::Reversal {
            key: advice,
            original: host_key(n),
            reason,
            sale: financial(n),
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
        let entry = Some(Entry::Reverse {
            id: TransferId(u128::from(n) + 500),
            original: TransferId(u128::from(n)),
        });
        let returned = issuer::Returned {
            at,
            reversal,
            code,
            entry,
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

pub fn approved(n: u32) -> terminal::Ending {
    terminal::Ending::Approved(terminal::Approval {
        code: ResponseCode::APPROVED,
        amount: sale(n).amount,
        rrn: Some(rrn(n)),
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
