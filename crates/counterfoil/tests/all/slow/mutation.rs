//! A million mutated messages. Real frames are caught on the wires of a running installation; the parties then hear their
//! mutants in process, where a panic or a growing state would show, and behind their ports, where they must stay alive.

use super::books::folded;
use super::draw::Draw;
use crate::installation::{HOSTS, Installation, Process, get, local, start_till};
use crate::wait_until;
use ::acquirer::Acquirer;
use ::issuer::Issuer;
use ::network::Network;
use counterfoil::config;
use counterfoil::config::acquirer::AcquirerFile;
use counterfoil::config::issuer::IssuerFile;
use counterfoil::config::network::NetworkFile;
use counterfoil::config::security::PartyModule;
use iso8583::frame::{Framing, open_terminal};
use iso8583::{Dialect, Message, Mti, frame};
use payment::{Institution, Mono, Now, Party, Peer, Surroundings, Wall, wire};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Mutants that the acquirer hears from terminals and from the network, and the other hosts from their members.
const ACQUIRER: usize = 2_000_000;
const OTHERS: usize = 500_000;
/// Messages of a terminal that has the keys and sends nonsense under a right MAC.
const SEALED: usize = 100_000;
/// Mutants for real ports: of terminals, of members, of the control port and of the printer.
const TO_TERMINALS: usize = 12_000;
const TO_MEMBERS: usize = 6_000;
const TO_OTHERS: usize = 1_500;
/// What the control port is asked.
const REQUESTS: [&[u8]; 2] = [
    b"GET /v1/where/T0000001/1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /v1/status HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n{",
];
/// What the printer is sent: settings, a picture, a cut, questions.
const SLIPS: [&[u8]; 2] = [
    b"\x1b@\x1ba\x01\x1dv0\x00\x30\x00\x18\x00abc\x1dV\x42\x00\x10\x04\x01",
    b"\x1d(k\xff\xff1C\x06\x1b&\x03\xff\x00\x1c.",
];
/// Mutants that change nothing may be answered and counted; a state that grows by more has been fed.
const STATE_GROWS_BYTES_MAX: usize = 16 * 1_024;

const ACQUIRER_CODE: Institution = Institution(48_500_001);
const NETWORK_CODE: Institution = Institution(10_000);
const ISSUER_CODE: Institution = Institution(1_030_000);

#[test]
fn a_million_mutants_neither_stop_nor_feed_a_party() {
    let installation = Installation::new([200, 300, 400, 600]);
    installation.adjust("acquirer.toml", &[("confirm_within_ms", "60000")]);
    let ports = installation.ports();
    let terminal_wire = Tap::open(ports.terminals, Framing::Terminal);
    let acquirer_wire = Tap::open(ports.members, Framing::Host);
    let issuer_wire = Tap::open(ports.members, Framing::Host);
    for (file, wire) in [
        ("acquirer.toml", &acquirer_wire),
        ("issuer.toml", &issuer_wire),
    ] {
        installation.adjust(
            file,
            &[("address", &format!("\"127.0.0.1:{}\"", wire.port))],
        );
    }
    let mut printer = installation.start_printer();
    let mut hosts = installation.start_hosts();
    let acquirer_at = format!("\"127.0.0.1:{}\"", terminal_wire.port);
    let settings = [
        ("acquirer", acquirer_at.as_str()),
        ("idle_report_ms", "100"),
        ("query_ms", "300"),
    ];
    let till_file = installation.terminal(1, &settings);
    let mut till = start_till(&till_file);
    make_traffic(&mut till, &terminal_wire);

    let file = |name: &str| installation.path(name);
    let acquirer: AcquirerFile = config::read(&file("acquirer.toml")).expect("the file");
    let network: NetworkFile = config::read(&file("network.toml")).expect("the file");
    let issuer: IssuerFile = config::read(&file("issuer.toml")).expect("the file");
    let from =
        |peer: Peer, frames: Vec<Vec<u8>>| frames.into_iter().map(move |frame| (peer, frame));
    let mut draw = Draw(0xC0FFEE);

    let (setup, keys) = acquirer.resolve().expect("valid");
    let mut party = folded(Acquirer::new(setup), &acquirer.data);
    let (sales, upstream) = sales_of(&party);
    assert!(sales >= 4 && upstream > 0, "{sales} sales");
    let asked: Vec<_> = from(Peer::Exchange(1), terminal_wire.sent()).collect();
    let answered: Vec<_> = from(Peer::Member(NETWORK_CODE), acquirer_wire.received()).collect();
    storm(
        "acquirer, from terminals",
        &mut party,
        &keys,
        &asked,
        ACQUIRER / 2,
        &mut draw,
    );
    storm(
        "acquirer, from the network",
        &mut party,
        &keys,
        &answered,
        ACQUIRER / 2,
        &mut draw,
    );
    // The request that was lost on the wire may come whole between its mutants: it is refused, and kept as one more.
    let (now, now_upstream) = sales_of(&party);
    assert_eq!(now_upstream, upstream, "a mutant went upstream");
    assert!(now <= sales + 1, "a mutant became a sale");
    storm_with_keys(&mut party, &keys, &asked, &mut draw);

    let (setup, keys) = network.resolve().expect("valid");
    let mut party = folded(Network::new(setup), &network.data);
    let heard: Vec<_> = from(Peer::Member(ACQUIRER_CODE), acquirer_wire.sent())
        .chain(from(Peer::Member(ISSUER_CODE), issuer_wire.sent()))
        .collect();
    storm("network", &mut party, &keys, &heard, OTHERS, &mut draw);

    let (setup, keys) = issuer.resolve().expect("valid");
    let mut party = folded(Issuer::new(setup), &issuer.data);
    let exchanges = party.exchanges().count();
    let heard: Vec<_> = from(Peer::Member(NETWORK_CODE), issuer_wire.received()).collect();
    storm("issuer", &mut party, &keys, &heard, OTHERS, &mut draw);
    assert_eq!(
        party.exchanges().count(),
        exchanges,
        "a mutant became an exchange"
    );

    storm_port(
        "terminals",
        ports.terminals,
        &terminal_wire.sent(),
        TO_TERMINALS,
        &mut draw,
    );
    still_sells(&mut till, &mut printer);
    storm_port(
        "members",
        ports.members,
        &[acquirer_wire.sent(), issuer_wire.sent()].concat(),
        TO_MEMBERS,
        &mut draw,
    );
    still_sells(&mut till, &mut printer);
    storm_port(
        "control",
        ports.control[0],
        &REQUESTS.map(<[u8]>::to_vec),
        TO_OTHERS,
        &mut draw,
    );
    // A printer serves one connection at a time, and a till keeps its own.
    assert!(till.stop().success());
    storm_port(
        "printer",
        ports.printer,
        &SLIPS.map(<[u8]>::to_vec),
        TO_OTHERS,
        &mut draw,
    );
    assert!(printer.is_alive() && !printer.lines().iter().any(|line| line.contains("panicked")));
    // Half a picture is waited for until the printer is switched off and on again.
    assert!(printer.stop().success());
    let mut printer = installation.start_printer();
    let mut till = start_till(&till_file);
    till.expect_screen("signed-on");
    for (host, control) in HOSTS.iter().zip(ports.control) {
        wait_until(&format!("{host} answers"), || {
            get(control, "/v1/status").is_some_and(|(status, _)| status == 200)
        });
    }
    for process in &mut hosts {
        assert!(process.is_alive(), "{:#?}", process.lines());
        let words = process.lines().join("\n");
        assert!(!words.contains("panicked"), "{words}");
    }
    still_sells(&mut till, &mut printer);
    cut_the_slow(&installation, &mut till, &mut printer);
}

/// Sales, and how many of them went upstream.
fn sales_of(acquirer: &Acquirer) -> (usize, usize) {
    let sales = || acquirer.state().sales();
    (
        sales().count(),
        sales().filter(|sale| sale.host.is_some()).count(),
    )
}

/// Every kind of message on every wire: sign-on, echo, inquiry, sales, refusals, a query, a reversal.
fn make_traffic(till: &mut Process, terminal_wire: &Tap) {
    till.expect_screen("signed-on");
    for (command, screen) in [
        ("echo", "echo"),
        ("sale 12.80", "approved"),
        ("balance", "balance"),
        ("sale 5.00 poor", "declined"),
        ("sale 3.00 credit", "approved"),
        ("sale 2000.00 wrong-pin", "declined"),
    ] {
        till.tell(command);
        till.expect_screen(screen);
    }
    terminal_wire.deaf.store(true, SeqCst);
    till.tell("sale 4.00");
    till.expect_screen("reversing");
    std::thread::sleep(Duration::from_millis(800));
    terminal_wire.deaf.store(false, SeqCst);
    till.expect_screen("reversed");
    let kinds: std::collections::BTreeSet<_> = terminal_wire
        .sent()
        .iter()
        .map(|frame| frame[13..15].to_vec())
        .collect();
    for kind in [
        [0x08, 0x00],
        [0x08, 0x20],
        [0x02, 0x00],
        [0x04, 0x00],
        [0x06, 0x20],
    ] {
        assert!(
            kinds.contains(&kind[..]),
            "no {kind:02X?} among {kinds:02X?}"
        );
    }
}

/// One good sale with its slip.
fn still_sells(till: &mut Process, printer: &mut Process) {
    while printer.next_line().is_some() {}
    let began = Instant::now();
    let mut approved = false;
    while !approved {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "no sale goes through: {:#?}",
            till.lines()
        );
        till.tell("sale 1.00");
        std::thread::sleep(Duration::from_millis(300));
        approved = std::iter::from_fn(|| till.next_line())
            .any(|line| line.contains("\"screen\":\"approved\""));
    }
    printer.expect_line("✂");
}

/// The party hears `count` mutants; what it decides is applied, as in production.
fn storm<P: Party>(
    name: &str,
    party: &mut P,
    module: &PartyModule,
    heard: &[(Peer, Vec<u8>)],
    count: usize,
    draw: &mut Draw,
) {
    let began = Instant::now();
    let size = |party: &P| {
        postcard::to_stdvec(party.state())
            .expect("it encodes")
            .len()
    };
    let before = size(party);
    let corpus: Vec<&[u8]> = heard.iter().map(|(_, frame)| frame.as_slice()).collect();
    assert!(corpus.len() >= 5, "{name}: {} frames", corpus.len());
    let (mut taken, mut records) = (0, 0);
    for n in 0..count {
        let (from, frame) = &heard[draw.below(heard.len())];
        let mutant = mutant(frame, &corpus, draw);
        let from = if let Peer::Exchange(_) = from {
            Peer::Exchange(1_000_000 + n as u64)
        } else {
            *from
        };
        if let Some(written) = hear(party, module, n, from, &mutant) {
            taken += 1;
            records += written;
        }
    }
    let after = size(party);
    println!(
        "{name}: {count} mutants of {} frames in {:.1} s, {taken} taken, {records} records, state {before} → {after} bytes",
        corpus.len(),
        began.elapsed().as_secs_f32()
    );
    assert!(
        after <= before + STATE_GROWS_BYTES_MAX,
        "{name}: the state grew from {before} to {after} bytes"
    );
    assert!(taken < count, "{name}: everything was taken");
}

/// A terminal that has its keys sends fields of nonsense under a right MAC: refused or sold, never a panic.
fn storm_with_keys(
    acquirer: &mut Acquirer,
    module: &PartyModule,
    heard: &[(Peer, Vec<u8>)],
    draw: &mut Draw,
) {
    let state = acquirer.state().clone();
    let terminal = payment::TerminalId(*b"T0000001");
    let key = state
        .session(&terminal)
        .and_then(|session| session.keys.as_ref())
        .expect("it has signed on")
        .mac;
    let mut taken = 0;
    for n in 0..SEALED {
        if n % 5_000 == 0 {
            acquirer.restore(state.clone());
        }
        let (_, frame) = &heard[draw.below(heard.len())];
        let (header, body) = open_terminal(frame).expect("a frame");
        let mut message = Message::new(Mti(0));
        Dialect::terminal()
            .decode(body, &mut message)
            .expect("a message");
        for _ in 0..=draw.below(3) {
            change_field(&mut message, draw);
        }
        message.set(64, &[0; 8]);
        let mut frame = Vec::new();
        if wire::frame::write_terminal(module, &header, &message, Some(&key), &mut frame).is_ok() {
            taken += usize::from(
                hear(
                    acquirer,
                    module,
                    n,
                    Peer::Exchange(2_000_000 + n as u64),
                    &frame,
                )
                .is_some(),
            );
        }
    }
    println!("acquirer, under a right MAC: {SEALED} messages, {taken} taken");
    assert!(taken > SEALED / 10, "only {taken} were read");
    acquirer.restore(state);
}

fn change_field(message: &mut Message, draw: &mut Draw) {
    let fields = [
        2, 3, 4, 11, 14, 22, 23, 25, 26, 35, 37, 39, 41, 42, 49, 52, 53, 54, 55, 59, 60, 61, 62, 63,
    ];
    let field = fields[draw.below(fields.len())];
    match (draw.below(4), message.get(field).map(<[u8]>::to_vec)) {
        (0, _) => message.remove(field),
        (1, Some(mut value)) if !value.is_empty() => {
            let at = draw.below(value.len());
            value[at] = b'0' + draw.below(10) as u8;
            message.set(field, &value);
        }
        (2, _) => message.set_mti(Mti(
            [0x0200, 0x0400, 0x0620, 0x0800, 0x0820, 0x0100][draw.below(6)]
        )),
        (_, value) => {
            let length = value.map_or(draw.below(20), |value| value.len());
            let value: Vec<u8> = (0..length).map(|_| b'0' + draw.below(10) as u8).collect();
            message.set(field, &value);
        }
    }
}

/// Hears one frame; the number of records it was worth, or nothing when it was refused at the edge.
fn hear<P: Party>(
    party: &mut P,
    module: &PartyModule,
    n: usize,
    from: Peer,
    frame: &[u8],
) -> Option<usize> {
    let now = Now {
        mono: Mono(u64::MAX / 2 + 10 * n as u64),
        wall: Wall(1_795_327_402_000 + n as i64 / 100),
    };
    let drawn = Cell::new(n as u8);
    let random = || {
        drawn.set(drawn.get().wrapping_add(1));
        std::array::from_fn(|at| {
            (at as u8)
                .wrapping_mul(37)
                .wrapping_add(drawn.get().wrapping_mul(59))
                ^ 0x5A
        })
    };
    let around = Surroundings {
        module,
        now,
        random: &random,
    };
    let input = party.hear(&around, from, frame).ok()?;
    let decision = party.decide(now, input);
    for record in &decision.records {
        party.apply(record);
    }
    let mut out = Vec::new();
    for effect in &decision.effects {
        out.clear();
        // An effect that cannot be written is refused, as in production.
        let _ = party.say(&around, effect, &mut out);
    }
    Some(decision.records.len())
}

/// Bits, bytes, ends and middles of a frame changed, mostly with a length that is right again.
fn mutant(frame: &[u8], corpus: &[&[u8]], draw: &mut Draw) -> Vec<u8> {
    let mut bytes = frame.to_vec();
    for _ in 0..=draw.below(4) {
        let at = draw
            .below(bytes.len().max(1))
            .min(bytes.len().saturating_sub(1));
        match draw.below(8) {
            _ if bytes.is_empty() => bytes.push(draw.next() as u8),
            0 | 1 => bytes[at] ^= 1 << draw.below(8),
            2 => bytes[at] = draw.next() as u8,
            3 => bytes.truncate(at),
            4 => bytes.insert(at, draw.next() as u8),
            5 => {
                let end = (at + 1 + draw.below(16)).min(bytes.len());
                bytes.drain(at..end);
            }
            6 => {
                let other = corpus[draw.below(corpus.len())];
                bytes.truncate(at);
                bytes.extend_from_slice(&other[at.min(other.len())..]);
            }
            _ => {
                let end = (at + 1 + draw.below(64)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.extend_from_slice(&piece);
            }
        }
    }
    if draw.below(8) != 0 {
        right_length(&mut bytes, frame.first() == Some(&46));
    }
    bytes
}

fn right_length(bytes: &mut [u8], host: bool) {
    let length = bytes.len();
    if host && (6..10_000).contains(&length) {
        bytes[2..6].copy_from_slice(format!("{length:04}").as_bytes());
    } else if !host && length >= 2 {
        bytes[..2].copy_from_slice(&((length - 2) as u16).to_be_bytes());
    }
}

/// Mutants to a real port of a running process.
fn storm_port(name: &str, port: u16, frames: &[Vec<u8>], count: usize, draw: &mut Draw) {
    let corpus: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    let began = Instant::now();
    let mut sent = 0;
    while sent < count {
        let mut stream = match TcpStream::connect_timeout(&local(port), Duration::from_secs(10)) {
            Ok(stream) => stream,
            Err(error) => panic!("no connection of {name} after {sent} mutants: {error}"),
        };
        stream
            .set_read_timeout(Some(Duration::from_millis(100)))
            .expect("it is set");
        stream
            .set_write_timeout(Some(Duration::from_secs(5)))
            .expect("it is set");
        for _ in 0..=draw.below(4) {
            let noise = draw.below(8) == 0;
            let bytes = if noise {
                (0..draw.below(600)).map(|_| draw.next() as u8).collect()
            } else {
                mutant(&frames[draw.below(frames.len())], &corpus, draw)
            };
            // A peer that has cut us is right.
            if stream.write_all(&bytes).is_err() {
                break;
            }
            sent += 1;
        }
        // It may have been cut already.
        let _ = stream.shutdown(Shutdown::Write);
        if draw.below(16) == 0 {
            let _ = stream.read(&mut [0; 1_024]);
        }
    }
    println!(
        "port of {name}: {sent} mutants in {:.1} s",
        began.elapsed().as_secs_f32()
    );
}

/// Connections that begin a frame and never end it are closed, and meanwhile the till sells.
fn cut_the_slow(installation: &Installation, till: &mut Process, printer: &mut Process) {
    let ports = installation.ports();
    let mut slow: Vec<TcpStream> = (0..300)
        .map(|n| {
            let port = if n % 3 == 0 {
                ports.members
            } else {
                ports.terminals
            };
            let mut stream = TcpStream::connect(local(port)).expect("it connects");
            stream
                .write_all(if n % 3 == 0 {
                    b"\x2e\x02"
                } else {
                    b"\x00\x60\x60"
                })
                .expect("it is taken");
            stream.set_nonblocking(true).expect("it is set");
            stream
        })
        .collect();
    still_sells(till, printer);
    let drip = Instant::now();
    wait_until("every slow connection is cut", || {
        // One more byte every now and then gains nothing.
        slow.retain_mut(|stream| match stream.read(&mut [0; 16]) {
            Ok(0) => false,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                stream.write_all(b"\x00").is_ok()
            }
            Ok(_) => true,
            Err(_) => false,
        });
        std::thread::sleep(Duration::from_millis(500));
        slow.is_empty()
    });
    println!(
        "300 slow connections were cut within {:.1} s",
        drip.elapsed().as_secs_f32()
    );
}

/// A wire that is listened to: passes bytes on in both directions and keeps the frames.
pub(super) struct Tap {
    pub(super) port: u16,
    framing: Framing,
    /// Swallows what comes back.
    pub(super) deaf: Arc<AtomicBool>,
    streams: Arc<Mutex<[Vec<Stream>; 2]>>,
}

type Stream = Arc<Mutex<Vec<u8>>>;

impl Tap {
    pub(super) fn open(to: u16, framing: Framing) -> Self {
        let listener = TcpListener::bind(local(0)).expect("a free port");
        let tap = Self {
            port: listener.local_addr().expect("it is bound").port(),
            framing,
            deaf: Arc::default(),
            streams: Arc::default(),
        };
        let (deaf, streams) = (Arc::clone(&tap.deaf), Arc::clone(&tap.streams));
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(local(to)) else {
                    continue;
                };
                let [sent, received] = [Stream::default(), Stream::default()];
                {
                    let mut streams = streams.lock().expect("no panic");
                    streams[0].push(Arc::clone(&sent));
                    streams[1].push(Arc::clone(&received));
                }
                let (near_too, far_too) = (
                    near.try_clone().expect("a copy"),
                    far.try_clone().expect("a copy"),
                );
                let deaf = Arc::clone(&deaf);
                std::thread::spawn(move || pass(near, far, &sent, &AtomicBool::new(false)));
                std::thread::spawn(move || pass(far_too, near_too, &received, &deaf));
            }
        });
        tap
    }

    /// Every frame that went towards the listening side.
    fn sent(&self) -> Vec<Vec<u8>> {
        self.frames(0)
    }

    /// Every frame that came back.
    pub(super) fn received(&self) -> Vec<Vec<u8>> {
        self.frames(1)
    }

    fn frames(&self, direction: usize) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for stream in &self.streams.lock().expect("no panic")[direction] {
            let bytes = stream.lock().expect("no panic");
            let mut rest = bytes.as_slice();
            while let Ok(Some(length)) = frame::next(self.framing, rest) {
                frames.push(rest[..length].to_vec());
                rest = &rest[length..];
            }
        }
        frames
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, kept: &Mutex<Vec<u8>>, deaf: &AtomicBool) {
    let mut bytes = [0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        kept.lock()
            .expect("no panic")
            .extend_from_slice(&bytes[..count]);
        if !deaf.load(SeqCst) && to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
