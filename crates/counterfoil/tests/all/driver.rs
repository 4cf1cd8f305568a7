//! The driver around a party: order, gatherings, restarts, deadlines, broken assertions.

use crate::echo::{Echo, Input, Record, start, start_with, terminal_frame};
use crate::wait_until;
use counterfoil::driver::{Driver, DriverHandle, Refused, Settings, Stop};
use counterfoil::journal::{JournalError, read};
use crypto::SoftwareModule;
use payment::{Machine, Mono, Party, Peer};
use std::sync::{Arc, Mutex, mpsc};

#[test]
fn the_state_is_the_replay_of_the_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("echo.db");
    let mut expected = None;
    for start_number in 1..=3_u64 {
        let mut settings = Settings::new(path.clone(), "echo", "test");
        settings.snapshot_records = 700;
        let driver = start_with(Echo::new(), settings, Box::new(|_| {}));
        let handle = driver.handle();
        if let Some((mut before, mono)) = expected.take() {
            let (state, now): (crate::echo::State, Mono) = handle
                .look_blocking(|echo, now| (echo.state().clone(), now.mono))
                .expect("it answers");
            let before: &mut crate::echo::State = &mut before;
            before.starts += 1;
            assert_eq!(state, *before);
            assert!(now >= mono, "time went back");
        }
        for n in 0..1_000 {
            let input = if n % 3 == 0 {
                Input::Tell(n)
            } else {
                Input::Say(Peer::Exchange(n), n)
            };
            handle.send(input).expect("there is room");
        }
        handle
            .send(Input::Tell(start_number))
            .expect("there is room");
        // What was said to nobody comes back as undelivered.
        wait_until("everything undelivered is told", || {
            let told = handle
                .look_blocking(|echo, _| echo.state().undelivered.len())
                .expect("it answers");
            told as u64 == 666 * start_number
        });
        expected = Some(
            handle
                .look_blocking(|echo, now| (echo.state().clone(), now.mono))
                .expect("it answers"),
        );
        assert!(handle.figures().snapshots > 0);
        driver.stop().expect("it stops");
    }
    // The fold over the rows, without snapshots, is the same.
    let mut echo = Echo::new();
    for row in read(&path).expect("it opens") {
        for record in row
            .expect("whole")
            .records::<Record>(&path)
            .expect("records")
        {
            echo.apply(&record);
        }
    }
    assert_eq!(
        Some(echo.state()),
        expected.as_ref().map(|(state, _)| state)
    );
}

#[test]
fn every_row_has_the_time_of_its_decisions() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("echo.db");
    let driver = start(&path);
    let handle = driver.handle();
    for n in 0..500 {
        handle.send(Input::Tell(n)).expect("there is room");
        let (looking, looked) = mpsc::channel();
        let look = handle.clone();
        // Looks that nobody waits for come between, in gatherings of their own.
        std::thread::spawn(move || looking.send(look.look_blocking(|_, _| ())));
        if n % 100 == 0 {
            looked.recv().expect("it looked").expect("it answers");
        }
    }
    driver.stop().expect("it stops");
    let mut last = Mono(0);
    for row in read(&path).expect("it opens") {
        let row = row.expect("whole");
        assert!(row.now.mono >= last && row.now.wall.0 > 0, "{row:?}");
        last = row.now.mono;
    }
}

#[test]
fn a_start_without_its_snapshots_replays_every_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("echo.db");
    let driver = start(&path);
    (0..50).for_each(|n| driver.handle().send(Input::Tell(n)).expect("there is room"));
    driver.stop().expect("it stops");
    let database = rusqlite::Connection::open(&path).expect("it opens");
    assert_eq!(
        database
            .execute("UPDATE snapshot SET state = x'ff'", [])
            .expect("it is changed"),
        1
    );
    drop(database);
    let driver = start(&path);
    let told = driver
        .handle()
        .look_blocking(|echo, _| echo.state().told.clone())
        .expect("it answers");
    assert_eq!(told, (0..50).collect::<Vec<_>>());
    driver.stop().expect("it stops");
}

/// Holds the party between two inputs until what this gives is dropped.
fn hold(handle: &DriverHandle<Echo>) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let (hold, holding) = mpsc::channel();
    let waiting = handle.clone();
    std::thread::spawn(move || {
        waiting.look_blocking(move |_, _| {
            hold.send(()).expect("somebody waits");
            held.recv().is_err()
        })
    });
    holding.recv().expect("the party is held");
    release
}

#[test]
fn what_comes_while_the_disk_works_shares_one_flush() {
    let folder = tempfile::tempdir().expect("a folder");
    let driver = start(&folder.path().join("echo.db"));
    let handle = driver.handle();
    let release = hold(handle);
    (0..1_000).for_each(|n| handle.send(Input::Tell(n)).expect("there is room"));
    drop(release);
    wait_until("all are written", || handle.figures().records == 1_001);
    let figures = handle.figures();
    assert!(figures.flushes.count <= 4, "{figures:?}");
    let rows = read(&folder.path().join("echo.db"))
        .expect("it opens")
        .count() as u64;
    assert_eq!(rows, figures.flushes.count);
    driver.stop().expect("it stops");
}

#[test]
fn other_effects_come_in_order_and_after_their_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("echo.db");
    let told = Arc::new(Mutex::new(Vec::new()));
    let (sink, journal) = (Arc::clone(&told), path.clone());
    let local = Box::new(move |effect| {
        let crate::echo::Effect::Tell(n) = effect else {
            panic!("frames are not told");
        };
        if n % 50 == 0 {
            let written = read(&journal).expect("it opens").any(|row| {
                let records = row
                    .expect("whole")
                    .records::<Record>(&journal)
                    .expect("records");
                records
                    .iter()
                    .any(|record| matches!(record, Record::Told(told) if *told == n))
            });
            assert!(written, "{n} was performed before it was durable");
        }
        sink.lock().expect("no panic").push(n);
    });
    let driver = start_with(Echo::new(), Settings::new(path, "echo", "test"), local);
    (0..500).for_each(|n| driver.handle().send(Input::Tell(n)).expect("there is room"));
    driver.stop().expect("it stops");
    assert_eq!(
        *told.lock().expect("no panic"),
        (0..500).collect::<Vec<_>>()
    );
}

#[test]
fn deadlines_come_by_themselves() {
    let folder = tempfile::tempdir().expect("a folder");
    let driver = start(&folder.path().join("echo.db"));
    let handle = driver.handle();
    for (alarm, after_ms) in [(1, 0), (2, 20), (3, 1)] {
        handle.send(Input::Alarm(after_ms)).expect("there is room");
        wait_until("the alarm goes off", || {
            handle
                .look_blocking(|echo, _| echo.state().alarms)
                .expect("it answers")
                == alarm
        });
    }
    driver.stop().expect("it stops");
}

#[test]
fn an_input_that_breaks_an_assertion_is_set_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let driver = start(&folder.path().join("echo.db"));
    let handle = driver.handle();
    handle.send(Input::Tell(1)).expect("there is room");
    handle.send(Input::Break).expect("there is room");
    handle
        .frame(Peer::Exchange(1), terminal_frame(u64::MAX - 1))
        .expect("there is room");
    handle
        .frame(Peer::Exchange(1), terminal_frame(u64::MAX))
        .expect("there is room");
    handle
        .frame(Peer::Exchange(1), b"no frame".to_vec())
        .expect("there is room");
    handle.send(Input::Tell(2)).expect("there is room");
    let told = handle
        .look_blocking(|echo, _| echo.state().told.clone())
        .expect("it answers");
    assert_eq!(told, [1, 2]);
    assert_eq!(
        (handle.figures().set_aside, handle.figures().frames_refused),
        (2, 2)
    );
    driver.stop().expect("it stops");
}

#[test]
fn a_state_that_breaks_stops_the_party() {
    let folder = tempfile::tempdir().expect("a folder");
    let driver = start(&folder.path().join("echo.db"));
    let handle = driver.handle().clone();
    assert_eq!(handle.look_blocking(|echo, _| echo.state().starts), Ok(1));
    handle.send(Input::BreakState).expect("there is room");
    let why = driver.join().expect_err("it had to stop");
    assert!(why.contains("assertion"), "{why}");
    assert!(matches!(handle.stopped(), Some(Stop::Failed(_))));
    assert_eq!(handle.send(Input::Tell(1)), Err(Refused::Stopped));
    assert_eq!(handle.look_blocking(|_, _| ()), Err(Refused::Stopped));
    // Nothing of it was written: the next start is as before.
    let driver = start(&folder.path().join("echo.db"));
    assert_eq!(
        driver.handle().look_blocking(|echo, _| echo.state().starts),
        Ok(2)
    );
    driver.stop().expect("it stops");
}

#[test]
fn a_second_driver_on_the_same_journal_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("echo.db");
    let driver = start(&path);
    let module = Box::new(SoftwareModule::new([7; 32]));
    let settings = Settings::new(path, "echo", "test");
    let second = Driver::start(Echo::new(), module, settings, Box::new(|_| {}));
    assert!(matches!(second, Err(JournalError::Locked { .. })));
    driver.stop().expect("it stops");
}

#[test]
fn what_waits_is_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let driver = start(&folder.path().join("echo.db"));
    let handle = driver.handle();
    let release = hold(handle);
    let taken = (0..200_000)
        .take_while(|n| handle.send(Input::Tell(*n)).is_ok())
        .count();
    assert_eq!(taken, counterfoil::driver::INBOX_MAX);
    assert_eq!(handle.send(Input::Tell(0)), Err(Refused::Full));
    drop(release);
    driver.stop().expect("it stops");
}
