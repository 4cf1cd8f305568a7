//! Archive and verification over real journals of hand-made records: what is projected, rebuilt, compared and found.

mod transfers;
pub mod world;

use acquirer::Reply;
use counterfoil::archive::{self, ArchiveError, Lag, Projector, Role};
use counterfoil::verify::{self, Check, Report};
use issuer::SUSPENSE;
use ledger::Entry;
use network::Network;
use payment::evidence::Delivery;
use payment::host::{self, ReversalReason};
use payment::{Institution, Kind, Machine, Party, ResponseCode, Stan};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use world::{
    CARDHOLDER, Disk, PAN, World, append, deal, financial, host_key, now, rrn, sale, transfer,
};

fn checks(found: &[verify::Found]) -> Vec<(Check, u64)> {
    found
        .iter()
        .map(|found| (found.check, found.count))
        .collect()
}

fn clean(report: &Report) {
    assert!(report.clean, "{report}");
}

#[test]
fn a_clean_world_is_clean_and_says_what_is_open() {
    let disk = World::new().write();
    let without = verify::run(&disk.all());
    clean(&without);
    assert!(
        without
            .parties
            .iter()
            .all(|party| party.archive_seq.is_none())
    );
    disk.rebuild_all();
    let report = verify::run(&disk.all());
    clean(&report);
    assert!(
        report
            .parties
            .iter()
            .all(|party| party.archive_seq == Some(party.rows) && party.archive_rows > 0),
        "{report}"
    );
    assert_eq!(
        (
            report.sales_compared,
            report.debits_compared,
            report.endings_compared
        ),
        (3, 3, 5)
    );
    let open = [
        (Check::AwaitsConfirmation, 1),
        (Check::OneSided, 1),
        (Check::TerminalOpen, 1),
    ];
    assert_eq!(checks(&report.open), open, "{report}");
    let text = report.to_string();
    assert!(
        text.starts_with("核验：一致 / verify: clean")
            && text.contains("T0000001/000001/000004 104"),
        "{text}"
    );
    assert!(!text.contains(PAN) && !disk.dump(Role::Acquirer).contains(PAN));
}

#[test]
fn rows_say_what_the_records_say() {
    let disk = World::new().write();
    disk.rebuild_all();
    for (role, sql, expected) in [
        (
            Role::Acquirer,
            "SELECT stan, verdict_row, outcome, receipt, stands FROM sale ORDER BY stan",
            "1 paid approved printed 1, 2 declined declined none 0, 3 reversed reversed none 0, \
             4 approved_unconfirmed approved unknown 1, 5 one_sided approved unknown 1",
        ),
        (
            Role::Acquirer,
            "SELECT what, detail FROM event WHERE stan = 3 ORDER BY seq, ordinal",
            "forwarded 0105120000/000003/48020000/48020000, answered 00, reversing 4351, reversal_tried -, reversal_answered 00",
        ),
        (
            Role::Acquirer,
            "SELECT id, amount_minor, reversed FROM posting",
            "1 101 0, 2 103 1, 4 104 0, 5 105 0",
        ),
        (
            Role::Acquirer,
            "SELECT owner, available_minor FROM balance",
            "network 310, 898310154110001 310",
        ),
        (
            Role::Issuer,
            "SELECT stan, standing, code, reversal_code FROM exchange",
            "1 approved 00 -, 2 declined 51 -, 3 reversed 00 00, 4 approved 00 -, 5 approved 00 -",
        ),
        (
            Role::Issuer,
            "SELECT owner, available_minor FROM balance",
            "cardholder 99690, funds 100000, suspense 310",
        ),
        (
            Role::Issuer,
            "SELECT kind, amount_minor FROM notice",
            "debited 101, debited 103, returned 103, debited 104, debited 105",
        ),
        (
            Role::Issuer,
            "SELECT amount_minor, closed FROM posting WHERE stan IS NOT NULL",
            "101 -, 103 reversed, 104 -, 105 -",
        ),
        (
            Role::Network,
            "SELECT stan, state, code FROM exchange",
            "1 answered 00, 2 answered 51, 3 answered 00, 4 answered 00, 5 answered 00",
        ),
        (
            Role::Network,
            "SELECT original_stan, progress, attempts, code FROM advice",
            "3 confirmed 1 00",
        ),
        (
            Role::Terminal,
            "SELECT stan, ending, slip_state, slip_level, slip_printed FROM sale ORDER BY stan",
            "1 approved done 4 1, 2 declined - - -, 3 reversed - - -, 4 approved - - -, 5 asked - - -",
        ),
    ] {
        assert_eq!(disk.query(role, sql).join(", "), expected, "{role:?} {sql}");
    }
}

#[test]
fn a_rebuild_equals_what_grew_by_itself() {
    let world = World::new();
    let disk = Disk(tempfile::tempdir().unwrap());
    grow(&disk, Role::Acquirer, &world.acquirer);
    grow(&disk, Role::Network, &world.network);
    grow(&disk, Role::Issuer, &world.issuer);
    grow(&disk, Role::Terminal, &world.terminal);
    for role in Role::ALL {
        let grown = disk.dump(role);
        let rows = archive::rebuild(&disk.data(role)).unwrap();
        assert_eq!(rows, archive::lag(&disk.data(role)).unwrap().journal_seq);
        assert_eq!(grown, disk.dump(role), "{role:?}");
    }
    clean(&verify::run(&disk.all()));
}

/// Appends in three pieces; the projector is stopped and comes back between them.
fn grow<R: Serialize>(disk: &Disk, role: Role, records: &[R]) {
    let mut journal = disk.journal(role);
    let data = disk.data(role);
    for piece in records.chunks(records.len().div_ceil(3)) {
        let projector = Projector::start(&data, Arc::default()).unwrap();
        append(&mut journal, piece);
        projector.catch_up().unwrap();
        assert_eq!(projector.position(), journal.head().seq);
        assert_eq!(projector.failed(), None);
    }
}

#[test]
fn a_projector_comes_back_by_a_snapshot_and_refuses_a_second_one() {
    let world = World::new();
    let disk = Disk(tempfile::tempdir().unwrap());
    let data = disk.data(Role::Network);
    let mut journal = disk.journal(Role::Network);
    let (early, late) = world.network.split_at(6);
    append(&mut journal, early);
    let mut fold = Network::new(network::Config::new(Institution(10_000)));
    early.iter().for_each(|record| fold.apply(record));
    journal
        .snapshot(&postcard::to_allocvec(fold.state()).unwrap())
        .unwrap();
    append(&mut journal, &late[..1]);
    Projector::start(&data, Arc::default())
        .unwrap()
        .catch_up()
        .unwrap();
    append(&mut journal, &late[1..]);
    let projector = Projector::start(&data, Arc::default()).unwrap();
    projector.catch_up().unwrap();
    assert!(matches!(
        archive::rebuild(&data),
        Err(ArchiveError::Locked { .. })
    ));
    drop(projector);
    let report = verify::run(std::slice::from_ref(&data));
    clean(&report);
    assert_eq!(report.parties[0].snapshots, 1);
}

#[test]
fn the_lag_is_rows_and_time() {
    let disk = World::new().write();
    let data = disk.data(Role::Issuer);
    let rows = World::new().issuer.len() as u64;
    let behind = Lag {
        journal_seq: rows,
        archive_seq: 0,
        rows,
        ms: (rows - 1) * 10,
    };
    assert_eq!(archive::lag(&data).unwrap(), behind);
    archive::rebuild(&data).unwrap();
    assert_eq!(
        archive::lag(&data).unwrap(),
        Lag {
            archive_seq: rows,
            rows: 0,
            ms: 0,
            ..behind
        }
    );
    append(&mut disk.journal(Role::Issuer), &[issuer::Record::LinkDown]);
    assert_eq!(
        archive::lag(&data).unwrap(),
        Lag {
            journal_seq: rows + 1,
            archive_seq: rows,
            rows: 1,
            ms: 10
        }
    );
    clean(&verify::run(&[data]));
}

#[test]
fn an_archive_of_another_journal_or_version_or_spoilt_is_begun_again() {
    let spoils: [fn(&Path); 3] = [
        |archive| sql(archive, "PRAGMA user_version = 0"),
        |archive| sql(archive, "UPDATE place SET chain = zeroblob(32)"),
        |archive| std::fs::write(archive, [7; 8_192]).unwrap(),
    ];
    let disk = World::new().write();
    let data = disk.data(Role::Acquirer);
    archive::rebuild(&data).unwrap();
    let good = disk.dump(Role::Acquirer);
    for spoil in spoils {
        sql(
            &archive::path(&data),
            "DELETE FROM sale; PRAGMA journal_mode = DELETE",
        );
        spoil(&archive::path(&data));
        Projector::start(&data, Arc::default())
            .unwrap()
            .catch_up()
            .unwrap();
        assert_eq!(disk.dump(Role::Acquirer), good);
    }
    assert!(matches!(
        Projector::start(disk.0.path(), Arc::default()),
        Err(ArchiveError::Sqlite { .. })
    ));
}

fn sql(archive: &Path, sql: &str) {
    rusqlite::Connection::open(archive)
        .unwrap()
        .execute_batch(sql)
        .unwrap();
}

#[test]
fn a_tampered_archive_is_found_by_name() {
    for (role, tamper, expected) in [
        (
            Role::Acquirer,
            "UPDATE sale SET verdict_row = 'paid' WHERE stan = 3",
            "sale T0000001/1/3/898310154110001: verdict_row is paid and must be reversed",
        ),
        (
            Role::Acquirer,
            "DELETE FROM event WHERE stan = 2 AND what = 'answered'",
            "event T0000001/1/2/898310154110001/5/0: missing in the archive",
        ),
        (
            Role::Acquirer,
            "INSERT INTO posting VALUES(77, 1, 1000, 5, 0)",
            "posting 77: not in the journal",
        ),
        (
            Role::Issuer,
            "UPDATE balance SET available_minor = available_minor + 1 WHERE owner = 'cardholder'",
            "balance 1000: available_minor is 99691 and must be 99690",
        ),
        (
            Role::Network,
            "UPDATE exchange SET code = '51' WHERE stan = 1",
            "code is 51 and must be 00",
        ),
        (
            Role::Terminal,
            "UPDATE sale SET slip_level = NULL",
            "slip_level is nothing and must be 4",
        ),
    ] {
        let disk = World::new().write();
        disk.rebuild_all();
        disk.spoil(role, tamper);
        let report = verify::run(&disk.all());
        assert_eq!(
            checks(&report.problems),
            [(Check::ArchiveDiffers, 1)],
            "{tamper}\n{report}"
        );
        assert!(
            !report.clean && report.problems[0].listed[0].ends_with(expected),
            "{report}"
        );
    }
}

#[test]
fn every_break_of_a_loop_is_found() {
    type Break = fn(&mut World);
    let rows: [(&str, Break, &[Check]); 12] = [
        (
            "a missing debit",
            |world| drop(world.issuer.remove(1)),
            &[Check::DebitMissing],
        ),
        (
            "a double debit under one key",
            |world| {
                let issuer::Record::Answered(mut again) = world.issuer[1].clone() else {
                    panic!("a debit")
                };
                again.entries = vec![Entry::Post {
                    transfer: transfer(900, CARDHOLDER, SUSPENSE, 101),
                }];
                world.issuer.push(issuer::Record::Answered(again));
            },
            &[Check::ExchangeBooks, Check::DebitDouble],
        ),
        (
            "a debit under a key that nobody sent",
            |world| {
                let before = world.clone();
                world.answer(9, true);
                (world.acquirer, world.network) = (before.acquirer, before.network);
            },
            &[Check::DebitWithoutSale],
        ),
        (
            "another amount",
            |world| {
                let issuer::Record::Answered(answered) = &mut world.issuer[1] else {
                    panic!("a debit")
                };
                answered.entries = vec![Entry::Post {
                    transfer: transfer(1, CARDHOLDER, SUSPENSE, 102),
                }];
            },
            &[Check::ExchangeBooks, Check::DebitAmount],
        ),
        (
            "a reversal that returned nothing",
            |world| {
                for record in &mut world.issuer {
                    if let issuer::Record::Returned(returned) = record {
                        returned.entries.clear();
                    }
                }
            },
            &[Check::ExchangeBooks, Check::DebitAfterReversal],
        ),
        (
            "a sale declined at the acquirer and debited",
            |world| {
                for record in &mut world.acquirer {
                    if let acquirer::Record::Answered { key, answer, .. } = record
                        && key.stan == Stan(4)
                    {
                        answer.code = ResponseCode::INSUFFICIENT_FUNDS;
                    }
                }
            },
            &[Check::DebitNotApproved, Check::TerminalApproved],
        ),
        (
            "a terminal that reversed what stands",
            |world| {
                let last =
                    world
                        .terminal
                        .iter_mut()
                        .rev()
                        .find_map(|record| match &mut record.record {
                            terminal::Record::Ended { ending, .. } => Some(ending),
                            _ => None,
                        });
                *last.unwrap() = terminal::Ending::Reversed {
                    never_debited: true,
                };
            },
            &[Check::TerminalNotApproved],
        ),
        (
            "a sale that its terminal never asked for",
            |world| {
                let before = world.terminal.clone();
                world.ask(8);
                world.answer(8, true);
                world.terminal = before;
            },
            &[Check::TerminalNeverAsked],
        ),
        (
            "an approval that the network did not pass on",
            |world| {
                world.network.retain(|record| !matches!(record, network::Record::Answered { answer, .. } if answer.key.stan == Stan(5)))
            },
            &[Check::NetworkDisagrees],
        ),
        (
            "a record that the books refuse",
            |world| {
                let again = world.issuer[1].clone();
                world.issuer.push(again);
            },
            &[Check::RecordRefused],
        ),
        (
            "a hang-up and a repeat break nothing",
            |world| {
                let key = sale(1).key;
                world.acquirer.push(acquirer::Record::Delivered {
                    key,
                    delivery: Delivery::HungUp,
                });
                let reply = Reply {
                    exchange: 2,
                    tpdu: [0; 5],
                    header: [0; 6],
                };
                world
                    .acquirer
                    .push(acquirer::Record::Repeated { key, reply });
            },
            &[],
        ),
        (
            "a tombstone breaks nothing",
            |world| {
                let reversal = host::Reversal {
                    key: host_key(700),
                    original: host_key(600),
                    reason: ReversalReason::ACQUIRER_TIMEOUT,
                    sale: financial(600),
                };
                let (at, code) = (now(60), ResponseCode::ORIGINAL_NOT_FOUND);
                world
                    .issuer
                    .push(issuer::Record::Returned(issuer::Returned {
                        at,
                        reversal,
                        code,
                        entries: Vec::new(),
                        effective: false,
                        barred: true,
                    }));
                world
                    .acquirer
                    .push(acquirer::Record::Tombstone { key: sale(600).key });
            },
            &[],
        ),
    ];
    for (name, change, expected) in rows {
        let mut world = World::new();
        change(&mut world);
        let report = verify::run(&world.write().all());
        let found: Vec<Check> = report.problems.iter().map(|found| found.check).collect();
        assert_eq!(found, expected, "{name}\n{report}");
        assert_eq!(report.clean, expected.is_empty(), "{name}");
    }
}

#[test]
fn rows_of_every_kind_say_what_the_records_say() {
    let disk = World::of_kinds().write();
    disk.rebuild_all();
    for (role, sql, expected) in [
        (
            Role::Acquirer,
            "SELECT stan, effect, moved_minor, original_stan, stands FROM sale WHERE stan IN (11, 13, 16, 17, 19, 23, 27, 30) ORDER BY stan",
            "11 credit -300 10 1, 13 undo -500 12 1, 16 capture 900 14 1, 17 uncapture -900 16 1, 19 release 0 18 1, \
             23 undo -600 22 0, 27 adjust 200 26 1, 30 debit 444 - 0",
        ),
        (
            Role::Acquirer,
            "SELECT stan, returned_minor, held_more_minor, captured_minor, adjusted_minor, undone FROM sale \
             WHERE returned_minor OR held_more_minor OR captured_minor OR adjusted_minor OR undone ORDER BY stan",
            "10 300 0 0 0 0, 12 0 0 0 0 1, 14 0 200 0 0 0, 16 0 0 0 0 1, 18 0 0 0 0 1, 20 0 0 240 0 0, 24 0 0 0 50 0, 26 0 0 0 200 0",
        ),
        (
            Role::Acquirer,
            "SELECT stan, verdict_row FROM sale WHERE stan IN (11, 13, 14, 19, 21, 23, 30) ORDER BY stan",
            "11 refund_taken, 13 return_slip_unknown, 14 hold_slip_unknown, 19 release_slip_unknown, 21 advice_taken, \
             23 return_reversed, 30 advice_on_its_way",
        ),
        (
            Role::Acquirer,
            "SELECT what FROM event WHERE stan = 30 ORDER BY seq, ordinal",
            "forwarded, deferred",
        ),
        (
            Role::Issuer,
            "SELECT stan, effect, moved_minor, original_stan, standing FROM exchange WHERE stan IN (11, 17, 23, 27) ORDER BY stan",
            "11 credit -300 10 approved, 17 uncapture -900 16 approved, 23 undo -600 22 reversed, 27 adjust 200 26 approved",
        ),
        (
            Role::Issuer,
            "SELECT stan, amount_minor, held, closed FROM posting WHERE held OR stan IN (16, 17) ORDER BY stan, held",
            "14 800 1 voided, 15 200 1 voided, 16 900 0 -, 17 900 0 -, 17 1000 1 -, 18 400 1 voided, 20 250 1 voided, 28 333 1 -",
        ),
        (
            Role::Issuer,
            "SELECT kind, amount_minor FROM notice WHERE seq IN (3, 5, 6, 9, 11)",
            "returned 300, returned 500, held 800, returned 900, released 400",
        ),
        (
            Role::Terminal,
            "SELECT stan, ending, advice FROM sale WHERE stan IN (11, 13, 21, 23, 30) ORDER BY stan",
            "11 approved 1, 13 approved 0, 21 approved 1, 23 reversed 0, 30 stored 1",
        ),
    ] {
        assert_eq!(disk.query(role, sql).join(", "), expected, "{role:?} {sql}");
    }
    let report = verify::run(&disk.all());
    clean(&report);
    let open: Vec<_> = checks(&report.open);
    assert_eq!(
        open,
        [(Check::AdviceOpen, 1), (Check::TerminalOpen, 1)],
        "{report}"
    );
}

/// The issuer's answer to number `n`.
fn answered(world: &mut World, n: u32) -> &mut issuer::Answered {
    let found = world.issuer.iter_mut().find_map(|record| match record {
        issuer::Record::Answered(answered) if answered.sale.key.stan == Stan(n) => Some(answered),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn every_break_of_another_kind_is_found() {
    type Break = fn(&mut World);
    let rows: [(&str, Break, &[Check]); 14] = [
        (
            "refunds beyond their original",
            |world| {
                let more = deal(40, Kind::Refund, 800, Some(10), -800);
                world.deal(more, vec![more.entry()]);
            },
            &[Check::ClaimsExceeded],
        ),
        (
            "a void of what is refunded in part",
            |world| {
                let void = deal(40, Kind::Void, 1_000, Some(10), -1_000);
                world.deal(void, vec![void.entry()]);
            },
            &[Check::ClaimsExceeded],
        ),
        (
            "a refund that the issuer debits",
            |world| {
                answered(world, 11).entries =
                    vec![deal(11, Kind::Purchase, 300, None, 300).entry()];
            },
            &[Check::ExchangeBooks, Check::DebitAmount],
        ),
        (
            "a refund that the acquirer books as a sale",
            |world| {
                for record in &mut world.acquirer {
                    if let acquirer::Record::Forwarded {
                        sale, moved_minor, ..
                    } = record
                        && sale.key.stan == Stan(11)
                    {
                        *moved_minor = 300;
                    }
                }
            },
            &[Check::PostingMissing, Check::MovedDiffers],
        ),
        (
            "a refund that the issuer gives twice",
            |world| {
                let again = deal(41, Kind::Refund, 300, Some(10), -300);
                let twice = issuer::Answered {
                    sale: host::Financial {
                        rrn: rrn(11),
                        ..again.financial()
                    },
                    entries: vec![again.entry()],
                    ..answered(world, 11).clone()
                };
                world.issuer.push(issuer::Record::Answered(twice));
            },
            &[Check::DebitWithoutSale, Check::AppliedTwice],
        ),
        (
            "a reversed void whose credit stands",
            |world| {
                for record in &mut world.issuer {
                    if let issuer::Record::Returned(returned) = record {
                        returned.entries.clear();
                    }
                }
            },
            &[Check::ExchangeBooks, Check::DebitAfterReversal],
        ),
        (
            "a void refused at the acquirer and given by the issuer",
            |world| {
                for record in &mut world.acquirer {
                    if let acquirer::Record::Answered { key, answer, .. } = record
                        && key.stan == Stan(13)
                    {
                        answer.code = ResponseCode::INSUFFICIENT_FUNDS;
                    }
                }
            },
            &[Check::DebitNotApproved, Check::TerminalApproved],
        ),
        (
            "a completion that leaves the hold",
            |world| {
                answered(world, 21).entries.remove(0);
            },
            &[Check::HoldLeft],
        ),
        (
            "a release that releases nothing",
            |world| answered(world, 19).entries.clear(),
            &[Check::HoldLeft],
        ),
        (
            "a pre-authorisation that holds nothing",
            |world| answered(world, 28).entries.clear(),
            &[Check::HoldMissing],
        ),
        (
            "a pre-authorisation that the issuer never approved",
            |world| {
                world.issuer.retain(|record| !matches!(record, issuer::Record::Answered(a) if a.sale.key.stan == Stan(28)));
            },
            &[Check::HoldUnknown],
        ),
        (
            "a pre-authorisation that only the issuer approved",
            |world| {
                for record in &mut world.acquirer {
                    if let acquirer::Record::Answered { key, answer, .. } = record
                        && key.stan == Stan(28)
                    {
                        answer.code = ResponseCode::INSUFFICIENT_FUNDS;
                    }
                }
            },
            &[Check::HoldNotWanted, Check::TerminalApproved],
        ),
        (
            "an adjustment that does not add up",
            |world| {
                for record in &mut world.acquirer {
                    if let acquirer::Record::Forwarded {
                        sale, moved_minor, ..
                    } = record
                        && sale.key.stan == Stan(25)
                    {
                        *moved_minor = 60;
                    }
                }
            },
            &[Check::DebitAmount, Check::AdjustedOtherwise],
        ),
        (
            "an advice refused at its terminal that stands",
            |world| {
                for record in &mut world.terminal {
                    if let terminal::Record::AdviceEnded { ending, .. } = &mut record.record {
                        *ending = terminal::Ending::Declined(ResponseCode::INVALID_RELATED);
                        return;
                    }
                }
            },
            &[Check::TerminalNotApproved],
        ),
    ];
    for (name, change, expected) in rows {
        let mut world = World::of_kinds();
        change(&mut world);
        let report = verify::run(&world.write().all());
        let found: Vec<Check> = report.problems.iter().map(|found| found.check).collect();
        assert_eq!(found, expected, "{name}\n{report}");
    }
}

#[test]
fn a_damaged_journal_and_a_wrong_snapshot_are_found() {
    let disk = World::new().write();
    disk.journal(Role::Network)
        .snapshot(&postcard::to_allocvec(&network::State::default()).unwrap())
        .unwrap();
    let report = verify::run(&disk.all());
    assert_eq!(
        checks(&report.problems),
        [(Check::SnapshotDiffers, 1)],
        "{report}"
    );

    let disk = World::new().write();
    sql(
        &archive::journal_path(&disk.data(Role::Acquirer)),
        "UPDATE gathering SET wall = wall + 1 WHERE seq = 3",
    );
    let report = verify::run(&disk.all());
    assert_eq!(
        checks(&report.problems),
        [(Check::JournalDamaged, 1)],
        "{report}"
    );
    assert_eq!(report.parties[1].rows, 2);

    let nowhere = verify::run(&[disk.0.path().join("nowhere")]);
    assert_eq!(checks(&nowhere.problems), [(Check::JournalDamaged, 1)]);
}
