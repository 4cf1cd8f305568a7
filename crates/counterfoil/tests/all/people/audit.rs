//! The audit log against somebody who can write its file: the first bad record is named (security reference, C26).

use super::Desk;
use counterfoil::people::Role;
use counterfoil::people::audit::{Head, verify};
use rusqlite::Connection;

/// A log of at least ten records; what is done to it; the first record that must be named.
const ROWS: &[(&str, &str, u64)] = &[
    ("change", "UPDATE audit SET who = 'mallory' WHERE seq = 4", 4),
    ("change a hash", "UPDATE audit SET hash = zeroblob(32) WHERE seq = 5", 5),
    ("delete", "DELETE FROM audit WHERE seq = 3", 3),
    ("delete the first", "DELETE FROM audit WHERE seq = 1", 1),
    (
        "insert",
        "UPDATE audit SET seq = -seq - 1 WHERE seq >= 6; UPDATE audit SET seq = -seq WHERE seq < 0;
         INSERT INTO audit SELECT 6, at_ms, 'mallory', act, object, before, after, hash FROM audit WHERE seq = 7",
        6,
    ),
    (
        "swap",
        "UPDATE audit SET seq = -4 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 7; UPDATE audit SET seq = 7 WHERE seq = -4",
        4,
    ),
    ("truncate", "DELETE FROM audit WHERE seq > 8", 9),
    ("empty", "DELETE FROM audit", 1),
];

fn desk() -> Desk {
    let desk = Desk::open();
    for n in 0..10 {
        desk.add(&format!("person-{n}"), Role::Operator);
    }
    desk
}

fn unlocked(desk: &Desk) -> Connection {
    let disk = Connection::open(desk.data.path().join("people.db")).expect("it opens");
    disk.execute_batch("DROP TRIGGER audit_stays; DROP TRIGGER audit_kept")
        .expect("unlocked");
    disk
}

#[test]
fn the_first_bad_record_is_named() {
    for (what, done, index) in ROWS {
        let desk = desk();
        let head = verify(desk.data.path())
            .expect("it reads")
            .expect("whole before");
        assert!(head.seq >= 10);
        assert_eq!(desk.people.audit(None).expect("it reads").1, head);
        unlocked(&desk).execute_batch(done).expect("done");
        let damage = verify(desk.data.path()).expect("it reads").expect_err(what);
        assert_eq!(damage.index, *index, "{what}: {damage}");
    }
}

#[test]
fn a_chain_made_anew_disagrees_with_a_published_head() {
    let (desk, other) = (desk(), Desk::open());
    for n in 0..10 {
        other.add(
            &format!("person-{}", if n == 4 { 99 } else { n }),
            Role::Operator,
        );
    }
    let heads = desk.data.path().join("audit.heads");
    let published = std::fs::read_to_string(&heads).expect("heads");
    std::fs::write(other.data.path().join("audit.heads"), published).expect("written");
    let damage = verify(other.data.path())
        .expect("it reads")
        .expect_err("another history");
    assert_eq!(damage.index, 5, "{damage}");
}

#[test]
fn the_programs_own_connection_cannot_change_a_record() {
    let desk = desk();
    let disk = Connection::open(desk.data.path().join("people.db")).expect("it opens");
    for refused in ["UPDATE audit SET who = 'x'", "DELETE FROM audit"] {
        assert!(disk.execute_batch(refused).is_err(), "{refused}");
    }
    let empty = Desk::open();
    let head = verify(empty.data.path()).expect("it reads").expect("whole");
    assert_eq!(head, Head::default());
}
