//! Connections of terminals: answers go back where they belong, and no bytes harm anybody else.

use crate::echo::{Echo, Input, start, terminal_frame};
use crate::links::{Port, ask, connect, is_closed, read_frame};
use crate::{runtime, wait_until};
use counterfoil::driver::Driver;
use counterfoil::link::{Dialing, Limits, LinkCount, Outbound, dial};
use iso8583::frame::{FRAME_BYTES_MAX, Framing};
use payment::{Party, Peer};
use std::io::{Read, Write};

#[test]
fn two_hundred_short_connections_at_once() {
    let port = Port::open(Limits::default());
    let terminals: Vec<_> = (0..200_u64)
        .map(|terminal| {
            let address = port.address;
            std::thread::spawn(move || {
                for round in 0..5 {
                    let n = terminal * 100 + round;
                    let mut stream = connect(address);
                    assert_eq!(ask(&mut stream, n), n);
                }
            })
        })
        .collect();
    terminals
        .into_iter()
        .for_each(|terminal| terminal.join().expect("no panic"));
    assert_eq!(port.count(LinkCount::Accepted), 1_000);
    assert_eq!(port.count(LinkCount::FramesIn), 1_000);
    assert_eq!(port.driver.handle().figures().undelivered, 0);
}

#[test]
fn many_requests_on_one_connection_share_reads_and_writes() {
    let port = Port::open(Limits {
        frames_per_second_max: u32::MAX,
        ..Limits::default()
    });
    let mut stream = connect(port.address);
    let mut many = Vec::new();
    (0..2_000).for_each(|n| many.extend(terminal_frame(n)));
    let mut writer = stream.try_clone().expect("a second handle");
    let writing = std::thread::spawn(move || writer.write_all(&many).expect("they are written"));
    for n in 0..2_000 {
        assert_eq!(read_frame(&mut stream), n);
    }
    writing.join().expect("no panic");
    let (reads, writes) = (port.count(LinkCount::Reads), port.count(LinkCount::Writes));
    assert!(
        reads < 500 && writes < 500,
        "{reads} reads, {writes} writes"
    );
}

#[test]
fn bad_bytes_close_their_own_connection_and_are_counted() {
    let limits = Limits {
        frame_ms: 300,
        idle_ms: 1_000,
        frames_per_second_max: 50,
        ..Limits::default()
    };
    let port = Port::open(limits);
    let mut neighbour = connect(port.address);
    assert_eq!(ask(&mut neighbour, 1), 1);
    let too_long = ((FRAME_BYTES_MAX - 1) as u16).to_be_bytes();
    let mut frame_then_garbage = terminal_frame(5);
    frame_then_garbage.extend([0, 1, 2]);
    let hasty: Vec<u8> = (0..51).flat_map(|_| terminal_frame(6)).collect();
    for (bytes, why) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], LinkCount::Garbage),
        (&[0, 0], LinkCount::Garbage),
        (&too_long, LinkCount::Garbage),
        (&frame_then_garbage, LinkCount::Garbage),
        (&hasty, LinkCount::Hasty),
        (&terminal_frame(7)[..9], LinkCount::Slow),
        (&[], LinkCount::Idle),
    ] {
        let before = port.count(why);
        let mut stream = connect(port.address);
        stream.write_all(bytes).expect("it is written");
        let mut rest = Vec::new();
        // Closed by a reset where bytes were left unread.
        let _ = stream.read_to_end(&mut rest);
        // The neighbour may idle away at the same moment.
        wait_until("the count", || port.count(why) > before);
        if why != LinkCount::Idle {
            assert_eq!(ask(&mut neighbour, 2), 2, "after {why:?}");
        }
    }
}

#[test]
fn one_byte_at_a_time_gains_no_time() {
    let port = Port::open(Limits {
        frame_ms: 400,
        ..Limits::default()
    });
    let mut stream = connect(port.address);
    let frame = terminal_frame(1);
    let mut sent = 0;
    for byte in frame.iter().cycle() {
        if stream.write_all(&[*byte]).is_err() || port.count(LinkCount::Slow) == 1 {
            break;
        }
        sent += 1;
        assert!(
            sent < frame.len(),
            "a whole frame was taken, a byte every 100 ms"
        );
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    wait_until("it is cut", || port.count(LinkCount::Slow) == 1);
    let mut other = connect(port.address);
    assert_eq!(ask(&mut other, 9), 9);
}

#[test]
fn connections_are_limited() {
    let port = Port::open(Limits {
        connections_max: 2,
        ..Limits::default()
    });
    let (mut first, mut second) = (connect(port.address), connect(port.address));
    assert_eq!((ask(&mut first, 1), ask(&mut second, 2)), (1, 2));
    let mut third = connect(port.address);
    assert!(is_closed(&mut third));
    assert_eq!(port.count(LinkCount::Crowded), 1);
    drop(first);
    wait_until("there is room again", || {
        let mut next = connect(port.address);
        let frame = terminal_frame(3);
        let mut answer = vec![0; frame.len()];
        next.write_all(&frame).is_ok() && next.read_exact(&mut answer).is_ok()
    });
}

#[test]
fn a_peer_that_takes_no_answers_is_closed_and_its_answers_are_told() {
    let port = Port::open(Limits {
        frames_per_second_max: u32::MAX,
        ..Limits::default()
    });
    let mut stream = connect(port.address);
    // It asks and asks and never reads.
    let mut next = 0;
    loop {
        let many: Vec<u8> = (next..next + 1_000).flat_map(terminal_frame).collect();
        next += 1_000;
        if stream.write_all(&many).is_err() {
            break;
        }
    }
    // Answers leave in order, so what did not leave is the last of what was heard, without a gap.
    let handle = port.driver.handle();
    wait_until("every answer that did not leave is told", || {
        let seen = handle.look_blocking(|echo, _| {
            let mut undelivered = echo.state().undelivered.clone();
            undelivered.sort_unstable();
            (echo.state().heard.len() as u64, undelivered)
        });
        let (heard, undelivered) = seen.expect("it answers");
        let Some(first) = undelivered.first() else {
            return false;
        };
        undelivered == (*first..heard).collect::<Vec<_>>()
    });
    let mut other = connect(port.address);
    assert_eq!(ask(&mut other, 9), 9);
}

#[test]
fn an_answer_to_nobody_is_told() {
    let port = Port::open(Limits::default());
    let handle = port.driver.handle();
    handle
        .send(Input::Say(Peer::Exchange(12_345), 4))
        .expect("there is room");
    wait_until("it is told", || {
        handle
            .look_blocking(|echo, _| echo.state().undelivered.clone())
            .expect("it answers")
            == [4]
    });
}

/// A terminal party that calls the port.
fn caller(
    folder: &std::path::Path,
    address: String,
    dialing: Dialing,
    runtime: &tokio::runtime::Runtime,
) -> Driver<Echo> {
    let driver = start(&folder.join("caller.db"));
    let handle = driver.handle().clone();
    runtime.block_on(async {
        dial(
            address,
            Framing::Terminal,
            dialing,
            Outbound::Plain,
            Limits::default(),
            handle,
        )
    });
    driver
}

#[test]
fn a_terminal_calls_with_short_and_kept_connections() {
    for (dialing, kept) in [(Dialing::Short, false), (Dialing::Kept { lines: 2 }, true)] {
        let port = Port::open(Limits {
            frames_per_second_max: u32::MAX,
            ..Limits::default()
        });
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = runtime();
        let driver = caller(folder.path(), port.address.to_string(), dialing, &runtime);
        let handle = driver.handle();
        // Both are echoes: each answer is said again, as the next call.
        handle
            .send(Input::Say(Peer::Exchange(3), 8))
            .expect("there is room");
        wait_until("twenty answers came", || {
            let heard = handle.look_blocking(|echo, _| echo.state().heard.get(&8).copied());
            heard.expect("it answers") >= Some(20)
        });
        let accepted = port.count(LinkCount::Accepted);
        assert!(
            if kept { accepted == 1 } else { accepted >= 20 },
            "{dialing:?}: {accepted}"
        );
        driver.stop().expect("it stops");
    }
}

#[test]
fn a_call_that_reaches_nobody_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("its address");
    for dialing in [Dialing::Short, Dialing::Kept { lines: 2 }] {
        let runtime = runtime();
        let driver = caller(folder.path(), nobody.to_string(), dialing, &runtime);
        driver
            .handle()
            .send(Input::Say(Peer::Exchange(1), 8))
            .expect("there is room");
        wait_until("it is told", || {
            driver
                .handle()
                .look_blocking(|echo, _| echo.state().undelivered.contains(&8))
                .expect("it answers")
        });
        driver.stop().expect("it stops");
        std::fs::remove_file(folder.path().join("caller.db")).expect("it is removed");
    }
}
