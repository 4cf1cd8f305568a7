//! Transfers and barter in the verification: two legs at two banks are one transfer, and half of one is a difference.

use super::world::{
    BANK, CARDHOLDER, Deal, Disk, FUNDS, US, World, append, approved_for, deal, hold, key, now,
    transfer, void,
};
use counterfoil::archive::{self, Role};
use counterfoil::journal::Journal;
use counterfoil::verify::{self, Check, Report};
use issuer::SUSPENSE;
use ledger::{AccountId, AccountRules, Currency, Entry, Side};
use payment::{HostKey, Institution, Kind, ResponseCode, Stan};

/// Stands in for one of the acquirer's two places in the key of a leg.
const NETWORK: Institution = Institution(10_000);
const RECEIVER: AccountId = AccountId(1_001);
const QUOTA: Currency = Currency(payment::BARTER_UNIT.0);

const BETWEEN: u32 = 50;
const WITHIN: u32 = 51;
const BARTER: u32 = 52;
const DELIVERY: u32 = 53;

/// The world's own bank, a second one and a barter centre.
struct Banks {
    world: World,
    second: Vec<issuer::Record>,
    centre: Vec<issuer::Record>,
}

impl Banks {
    /// A transfer between two banks, one within a bank, and quota that was delivered.
    fn new() -> Self {
        let mut banks = Self {
            world: World::default(),
            second: vec![opened(Currency::CNY, 1_000_000)],
            centre: vec![opened(QUOTA, 1_000_000)],
        };
        banks.world.issuer.push(opened(Currency::CNY, 1_000_000));
        banks.between(BETWEEN);
        let within = deal(WITHIN, Kind::Transfer, 4_200, None, 0);
        let gift = transfer(51, CARDHOLDER, RECEIVER, 4_200);
        banks
            .world
            .deal(within, vec![Entry::Post { transfer: gift }]);
        let sale = deal(BARTER, Kind::BarterSale, 900, None, 0);
        let escrow = of_quota(transfer(52, CARDHOLDER, SUSPENSE, 900));
        banks.at_centre(sale, vec![hold(escrow)]);
        let delivery = deal(DELIVERY, Kind::BarterDelivery, 900, Some(BARTER), 0);
        let gift = of_quota(transfer(53, CARDHOLDER, RECEIVER, 900));
        banks.at_centre(
            delivery,
            vec![void(1_053, 52), Entry::Post { transfer: gift }],
        );
        banks
    }

    fn at_centre(&mut self, deal: Deal, entries: Vec<Entry>) {
        self.world.deal(deal, entries);
        self.centre.extend(self.world.issuer.pop());
    }

    /// Both legs were approved, and so was the transfer.
    fn between(&mut self, n: u32) {
        let transfer = transfer_of(n);
        self.world.deal(transfer, Vec::new());
        self.legs(n);
    }

    /// The bank's own answer becomes that to the leg of the payer; the receiver's bank has the other.
    fn legs(&mut self, n: u32) {
        let Some(issuer::Record::Answered(answered)) = self.world.issuer.pop() else {
            panic!("an answer")
        };
        let whole = answered.sale;
        let leg = |kind, key, transfer| {
            issuer::Record::Answered(issuer::Answered {
                sale: payment::host::Financial { key, kind, ..whole },
                entries: vec![Entry::Post { transfer }],
                ..answered.clone()
            })
        };
        let (id, minor) = (u128::from(n), whole.amount.minor);
        let out = HostKey {
            forwarder: NETWORK,
            ..whole.key
        };
        let back = HostKey {
            acquirer: NETWORK,
            ..whole.key
        };
        self.world.issuer.push(leg(
            Kind::TransferOut,
            out,
            transfer(id, CARDHOLDER, SUSPENSE, minor),
        ));
        self.second.push(leg(
            Kind::TransferIn,
            back,
            transfer(id, SUSPENSE, RECEIVER, minor),
        ));
        self.network_as_it_is(n);
    }

    /// What the network records of a transfer that takes two legs.
    fn network_as_it_is(&mut self, n: u32) {
        let (at, whole) = (now(n as usize), transfer_of(n).financial());
        self.world.network.truncate(self.world.network.len() - 2);
        self.world.network.push(network::Record::TransferTaken {
            sale: whole,
            network: NETWORK,
            issuers: [BANK, US],
            deadline: at.mono.plus_ms(20_000),
            at,
        });
        self.world.network.push(network::Record::TransferEnded {
            key: whole.key,
            code: ResponseCode::APPROVED,
            reversals: Vec::new(),
            at,
        });
    }

    fn verified(&self) -> (Disk, Report) {
        let disk = self.world.write();
        let mut all = disk.all();
        for (name, records) in [("second", &self.second), ("centre", &self.centre)] {
            let data = disk.0.path().join(name);
            std::fs::create_dir_all(&data).unwrap();
            let place = archive::journal_path(&data);
            let mut journal = Journal::open(&place, Role::Issuer.name(), "sandbox").unwrap();
            append(&mut journal, records);
            drop(journal);
            archive::rebuild(&data).unwrap();
            all.push(data);
        }
        disk.rebuild_all();
        let report = verify::run(&all);
        (disk, report)
    }

    fn answer_of(records: &mut [issuer::Record], n: u32) -> &mut issuer::Answered {
        let found = records.iter_mut().find_map(|record| match record {
            issuer::Record::Answered(answered) if answered.sale.key.stan == Stan(n) => {
                Some(answered)
            }
            _ => None,
        });
        found.unwrap()
    }

    fn forget(records: &mut Vec<issuer::Record>, n: u32) {
        records.retain(
            |record| !matches!(record, issuer::Record::Answered(a) if a.sale.key.stan == Stan(n)),
        );
    }
}

fn transfer_of(n: u32) -> Deal {
    deal(n, Kind::Transfer, 4_300, None, 0)
}

fn of_quota(transfer: ledger::Transfer) -> ledger::Transfer {
    ledger::Transfer {
        currency: QUOTA,
        ..transfer
    }
}

fn opened(currency: Currency, id: u128) -> issuer::Record {
    let open = |account, rules| Entry::Open { account, rules };
    let funds = ledger::Transfer {
        currency,
        ..transfer(id, FUNDS, CARDHOLDER, 100_000)
    };
    issuer::Record::Opened {
        cards: Vec::new(),
        entries: vec![
            open(FUNDS, AccountRules::open(currency, Side::Debit)),
            open(SUSPENSE, AccountRules::open(currency, Side::Credit)),
            open(CARDHOLDER, AccountRules::deposit(currency)),
            open(RECEIVER, AccountRules::deposit(currency)),
            Entry::Post { transfer: funds },
        ],
    }
}

#[test]
fn two_legs_are_one_transfer_and_quota_is_no_money() {
    let (disk, report) = Banks::new().verified();
    assert!(report.clean && report.open.is_empty(), "{report}");
    assert_eq!((report.sales_compared, report.debits_compared), (4, 2));
    for (role, sql, expected) in [
        (
            Role::Acquirer,
            "SELECT stan, effect, moved_minor, verdict_row FROM sale ORDER BY stan",
            "50 move 0 move_slip_unknown, 51 move 0 move_slip_unknown, 52 hold 0 hold_slip_unknown, \
             53 capture 0 move_slip_unknown",
        ),
        (
            Role::Network,
            "SELECT stan, state, code FROM exchange WHERE stan = 50",
            "50 answered 00",
        ),
        (
            Role::Issuer,
            "SELECT stan, effect, acquirer, forwarder FROM exchange",
            "50 move_out 48020000 10000, 51 move 48020000 48020000",
        ),
        (
            Role::Issuer,
            "SELECT kind, amount_minor FROM notice",
            "sent 4300, sent 4200",
        ),
    ] {
        assert_eq!(disk.query(role, sql).join(", "), expected, "{role:?} {sql}");
    }
}

#[test]
fn every_break_of_a_transfer_is_found() {
    type Break = fn(&mut Banks);
    let rows: [(&str, Break, &[Check]); 9] = [
        (
            "a debit leg without its partner",
            |banks| Banks::forget(&mut banks.second, BETWEEN),
            &[Check::TransferHalf],
        ),
        (
            "a credit leg without its partner",
            |banks| Banks::forget(&mut banks.world.issuer, BETWEEN),
            &[Check::TransferHalf],
        ),
        (
            "more is received than was sent",
            |banks| {
                let leg = Banks::answer_of(&mut banks.second, BETWEEN);
                leg.sale.amount.minor = 4_301;
                leg.entries = vec![Entry::Post {
                    transfer: transfer(50, SUSPENSE, RECEIVER, 4_301),
                }];
            },
            &[Check::DebitAmount, Check::TransferHalf],
        ),
        (
            "a leg that moves nothing",
            |banks| Banks::answer_of(&mut banks.second, BETWEEN).entries.clear(),
            &[Check::ExchangeBooks],
        ),
        (
            "a transfer that no bank approved",
            |banks| {
                Banks::forget(&mut banks.world.issuer, BETWEEN);
                Banks::forget(&mut banks.second, BETWEEN);
            },
            &[Check::HoldUnknown],
        ),
        (
            "legs of a transfer that nobody asked for",
            |banks| {
                let before = banks.world.clone();
                banks.between(60);
                let issuer = std::mem::take(&mut banks.world.issuer);
                banks.world = World { issuer, ..before };
            },
            &[Check::DebitWithoutSale],
        ),
        (
            "a transfer refused at the acquirer, of which both legs stand",
            |banks| {
                for record in &mut banks.world.acquirer {
                    if let acquirer::Record::Answered {
                        key: of, answer, ..
                    } = record
                        && *of == key(BETWEEN)
                    {
                        answer.code = ResponseCode::INSUFFICIENT_FUNDS;
                    }
                }
            },
            &[Check::DebitNotApproved, Check::TerminalApproved],
        ),
        (
            "a transfer within a bank that nobody received",
            |banks| {
                Banks::answer_of(&mut banks.world.issuer, WITHIN)
                    .entries
                    .clear()
            },
            &[Check::ExchangeBooks],
        ),
        (
            "quota that left escrow and came nowhere",
            |banks| {
                Banks::answer_of(&mut banks.centre, DELIVERY)
                    .entries
                    .truncate(1)
            },
            &[Check::ExchangeBooks],
        ),
    ];
    for (name, change, expected) in rows {
        let mut banks = Banks::new();
        change(&mut banks);
        let (_, report) = banks.verified();
        let found: Vec<Check> = report.problems.iter().map(|found| found.check).collect();
        assert_eq!(found, expected, "{name}\n{report}");
    }
}

#[test]
fn half_a_transfer_that_is_not_over_is_open() {
    let mut banks = Banks::new();
    let transfer = transfer_of(61);
    let before = banks.world.clone();
    banks.world.deal(transfer, Vec::new());
    banks.legs(61);
    drop(banks.second.pop());
    let issuer = std::mem::take(&mut banks.world.issuer);
    banks.world = World { issuer, ..before };
    banks.world.ask_for(transfer);
    let (_, report) = banks.verified();
    assert!(report.clean, "{report}");
    let open: Vec<Check> = report.open.iter().map(|found| found.check).collect();
    assert_eq!(open, [Check::InFlight, Check::TerminalOpen], "{report}");
    // Its terminal gave it up meanwhile.
    banks.world.end(61, approved_for(transfer));
    let (_, report) = banks.verified();
    assert!(!report.clean, "{report}");
}
