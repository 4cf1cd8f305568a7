//! Links between hosts: introduction, replacement, reconnection, and what the party hears of it.

use crate::echo::{Echo, Input, State, host_frame, number, start, start_with};
use crate::links::is_closed;
use crate::{runtime, wait_until};
use counterfoil::driver::{Driver, DriverHandle, Settings};
use counterfoil::link::{Inbound, Limits, LinkCount, Outbound, connect_member, listen_members};
use iso8583::frame::open_host;
use payment::{Institution, Party, Peer};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

const NETWORK: Institution = Institution(99);
const MEMBER: Institution = Institution(77);

fn state(handle: &DriverHandle<Echo>) -> State {
    handle
        .look_blocking(|echo, _| echo.state().clone())
        .expect("it answers")
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it connects");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("it is set");
    stream
}

fn ask(stream: &mut TcpStream, from: &[u8], n: u64) -> u64 {
    let mut frame = host_frame(from, n);
    stream.write_all(&frame).expect("it is written");
    stream.read_exact(&mut frame).expect("an answer");
    number(open_host(&frame).expect("a frame").1)
}

/// The network's side.
fn network(
    folder: &Path,
    address: SocketAddr,
    runtime: &tokio::runtime::Runtime,
) -> (Driver<Echo>, counterfoil::link::Listening) {
    let driver = start(&folder.join("network.db"));
    let limits = Limits {
        introduction_ms: 1_000,
        frame_ms: 1_000,
        ..Limits::default()
    };
    let listening = runtime
        .block_on(async {
            listen_members(
                address,
                vec![MEMBER, Institution(78)],
                Inbound::Plain,
                limits,
                driver.handle().clone(),
            )
        })
        .expect("it listens");
    (driver, listening)
}

#[test]
fn a_member_introduces_itself_and_strangers_are_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = runtime();
    let (driver, listening) = network(folder.path(), ([127, 0, 0, 1], 0).into(), &runtime);
    let handle = driver.handle();
    let count = |count| handle.link_figures().get(count);

    let mut member = connect(listening.address());
    assert_eq!(ask(&mut member, b"77", 5), 5);
    assert_eq!(state(handle).links, [(77, true)]);

    let not_decimal = host_frame(b"7x", 1);
    let mut broken = host_frame(b"77", 1);
    broken[0] = 47;
    for (bytes, why) in [
        (&host_frame(b"80", 1)[..], LinkCount::Strangers),
        (&not_decimal, LinkCount::Strangers),
        (b"", LinkCount::Strangers),
        (&broken, LinkCount::Garbage),
        (&host_frame(b"77", 1)[..20], LinkCount::Slow),
    ] {
        let before =
            count(LinkCount::Strangers) + count(LinkCount::Garbage) + count(LinkCount::Slow);
        let mut stream = connect(listening.address());
        stream.write_all(bytes).expect("it is written");
        let _ = stream.read_to_end(&mut Vec::new());
        wait_until("it is counted", || {
            count(LinkCount::Strangers) + count(LinkCount::Garbage) + count(LinkCount::Slow)
                == before + 1
        });
        // Which of two clocks cuts a silent one is all the same.
        assert!(count(why) > 0 || why == LinkCount::Slow, "{why:?}");
    }
    assert_eq!(ask(&mut member, b"77", 6), 6);

    // A member that comes again takes the place of its half-open older link.
    let mut again = connect(listening.address());
    assert_eq!(ask(&mut again, b"77", 7), 7);
    assert!(is_closed(&mut member));
    assert_eq!(count(LinkCount::Replaced), 1);
    drop(again);
    wait_until("the link is down", || {
        state(handle).links.last() == Some(&(77, false))
    });
    assert_eq!(state(handle).links, [(77, true), (77, true), (77, false)]);
    handle
        .send(Input::Say(Peer::Member(MEMBER), 8))
        .expect("there is room");
    wait_until("it is told", || state(handle).undelivered == [8]);
    driver.stop().expect("it stops");
}

#[test]
fn a_link_comes_back_after_its_other_side_did() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = runtime();
    // A port of our own, kept over the restarts.
    let address = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("its address");
    let mut acquirer = Echo::new();
    acquirer.remembers = false;
    let member = start_with(
        acquirer,
        Settings::new(folder.path().join("member.db"), "member", "test"),
        Box::new(|_| {}),
    );
    let _link = runtime.block_on(async {
        connect_member(
            address.to_string(),
            NETWORK,
            Outbound::Plain,
            Limits::default(),
            member.handle().clone(),
        )
    });
    for round in 1..=3 {
        let (driver, listening) = network(folder.path(), address, &runtime);
        let ups = |handle: &DriverHandle<Echo>| {
            state(handle)
                .links
                .iter()
                .filter(|link| **link == (99, true))
                .count()
        };
        wait_until("the link is up", || ups(member.handle()) >= round);
        // The two echoes now play ball: each hears what it said before.
        member
            .handle()
            .send(Input::Say(Peer::Member(NETWORK), round as u64))
            .expect("there is room");
        wait_until("the ball is in play", || {
            state(driver.handle()).heard.get(&(round as u64)).copied() >= Some(20)
        });
        assert_eq!(state(driver.handle()).links.last(), Some(&(77, true)));
        drop(listening);
        driver.stop().expect("it stops");
        wait_until("the link is down", || {
            state(member.handle()).links.last() == Some(&(99, false))
        });
    }
    assert!(member.handle().link_figures().get(LinkCount::Connected) >= 3);
    member.stop().expect("it stops");
}

#[test]
fn many_frames_share_one_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = runtime();
    let (driver, listening) = network(folder.path(), ([127, 0, 0, 1], 0).into(), &runtime);
    let mut stream = connect(listening.address());
    let many: Vec<u8> = (0..20_000).flat_map(|n| host_frame(b"77", n)).collect();
    let bytes = many.len();
    let mut writer = stream.try_clone().expect("a second handle");
    let writing = std::thread::spawn(move || writer.write_all(&many).expect("they are written"));
    let mut answers = vec![0; bytes];
    stream.read_exact(&mut answers).expect("every answer");
    writing.join().expect("no panic");
    for (n, answer) in answers.chunks(bytes / 20_000).enumerate() {
        assert_eq!(number(open_host(answer).expect("a frame").1), n as u64);
    }
    let figures = driver.handle().link_figures();
    assert_eq!(figures.get(LinkCount::FramesOut), 20_000);
    assert!(figures.get(LinkCount::Writes) < 4_000, "{figures:?}");
    assert!(driver.handle().figures().flushes.count < 4_000);
    driver.stop().expect("it stops");
}
