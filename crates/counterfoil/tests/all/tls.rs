//! Links under TLS: who is let in, who may speak as whom, and what half a handshake costs.
//!
//! The clients here are built on their own, not with the program's links.

use crate::echo::{Echo, Input, host_frame, number, start};
use crate::installation::{Installation, get, start_till};
use crate::links::Port;
use crate::{runtime, wait_until};
use counterfoil::authority::{Authority, CERTIFICATE_DAYS};
use counterfoil::driver::Driver;
use counterfoil::link::{
    Credentials, Dialing, HANDSHAKE_BYTES_MAX, HANDSHAKES_MAX, Identity, Inbound, Limits,
    LinkCount, Listening, Outbound, TerminalRow, Tls, dial, listen_members,
};
use iso8583::field60::Field60;
use iso8583::frame::{Framing, TerminalHeader, open_host, seal_terminal};
use iso8583::{Dialect, Message, Mti};
use payment::{Institution, Party, Peer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpSocket;

const MERCHANT: &str = "898100053110001";
const OTHER_MERCHANT: &str = "898100058120002";
const ACQUIRER: &str = "acquirer.example";
const NETWORK: &str = "network.example";
const DAY: Duration = Duration::from_secs(86_400);

fn authority(folder: &Path) -> Authority {
    Authority::create(folder, SystemTime::now()).expect("an authority")
}

fn issue(authority: &mut Authority, identity: Identity) -> (Credentials, String) {
    let (files, issued) = authority
        .issue(&identity, CERTIFICATE_DAYS, SystemTime::now())
        .expect("a certificate");
    (files, issued.serial)
}

fn terminal(id: &str) -> Identity {
    Identity::Terminals(TerminalRow::new(id, 1, MERCHANT).expect("a row"))
}

fn member(code: u64) -> Identity {
    Identity::Member(Institution(code))
}

fn server(name: &str) -> Identity {
    Identity::Server(name.to_owned())
}

/// A client's settings, with a certificate or without one.
fn client(ca: &Path, own: Option<&Credentials>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_file_iter(ca).expect("a file") {
        roots.add(authority.expect("PEM")).expect("an authority");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let Some(own) = own else {
        return Arc::new(config.with_no_client_auth());
    };
    let chain = CertificateDer::pem_file_iter(&own.certificate).expect("a file");
    let key = PrivateKeyDer::from_pem_file(&own.key).expect("a key");
    let chain = chain.map(|certificate| certificate.expect("PEM")).collect();
    Arc::new(config.with_client_auth_cert(chain, key).expect("they fit"))
}

type Secured = StreamOwned<ClientConnection, TcpStream>;

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it connects");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("it is set");
    stream
}

fn secured(address: SocketAddr, config: &Arc<ClientConfig>, name: &'static str) -> Secured {
    let name = ServerName::try_from(name).expect("a name");
    let tls = ClientConnection::new(Arc::clone(config), name).expect("a client");
    StreamOwned::new(tls, connect(address))
}

/// Sends a frame; what comes back until the other side closes.
fn said(mut stream: Secured, frame: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(frame)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// A management message of a terminal.
fn echo_test(terminal: &str, merchant: &str) -> Vec<u8> {
    let mut message = Message::new(Mti(0x0820));
    message.set_number(11, 1, 6);
    message.set_text(41, terminal);
    message.set_text(42, merchant);
    message.set(60, &Field60::management(1, 301).write());
    let mut frame = Vec::new();
    seal_terminal::<iso8583::Error>(&TerminalHeader::COMMON, &mut frame, |out| {
        Dialect::terminal().encode(&message, out)
    })
    .expect("a frame");
    frame
}

/// The examples, with certificates on every link.
struct Sandbox {
    installation: Installation,
    authority: Authority,
    serials: BTreeMap<String, String>,
}

impl Sandbox {
    fn new() -> Self {
        let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
        let authority = authority(&installation.path("authority"));
        let mut sandbox = Self {
            installation,
            authority,
            serials: BTreeMap::new(),
        };
        let links = [
            (
                "acquirer",
                vec![
                    (server(ACQUIRER), None),
                    (member(48_500_001), Some(NETWORK)),
                ],
            ),
            ("network", vec![(server(NETWORK), None)]),
            ("issuer", vec![(member(1_030_000), Some(NETWORK))]),
        ];
        for (host, links) in links {
            let lines = links
                .into_iter()
                .map(|(identity, name)| sandbox.line(identity, name));
            let lines: Vec<_> = lines.collect();
            sandbox.secure(&sandbox.installation.path(&format!("{host}.toml")), &lines);
        }
        sandbox
    }

    /// A certificate, as a line of a configuration file.
    fn line(&mut self, identity: Identity, name: Option<&str>) -> String {
        let called = identity.to_string();
        let (files, serial) = issue(&mut self.authority, identity);
        self.serials.insert(called, serial);
        let name = name.map_or(String::new(), |name| format!(", name = {name:?}"));
        format!(
            "tls = {{ ca = {:?}, certificate = {:?}, key = {:?}, crl = {:?}{name} }}",
            files.ca, files.certificate, files.key, files.crl
        )
    }

    /// Puts the lines in the place of the words for plain TCP.
    fn secure(&self, file: &Path, lines: &[String]) {
        let mut text = std::fs::read_to_string(file).expect("the file");
        for line in lines {
            assert!(text.contains("plain = true"), "{text}");
            text = text.replacen("plain = true", line, 1);
        }
        assert!(!text.contains("plain = true"), "{text}");
        std::fs::write(file, text).expect("it is written");
    }

    /// The file of a terminal that uses the certificate of `of`.
    fn terminal(&mut self, n: u32, of: &str) -> PathBuf {
        let line = self.line(terminal(of), Some(ACQUIRER));
        let file = self.installation.terminal(n, &[("connections", "1")]);
        self.secure(&file, &[line]);
        file
    }

    /// What the links of a host counted.
    fn count(&self, host: usize, name: &str) -> u64 {
        let control = self.installation.ports().control[host];
        let (_, status) = get(control, "/v1/status").expect("an answer");
        let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
        status["links"][name].as_u64().expect("a count")
    }

    fn revoke(&mut self, name: &str) {
        let serial = &self.serials[name];
        self.authority
            .revoke(serial, SystemTime::now())
            .expect("it is revoked");
    }
}

#[test]
fn a_sale_over_tls_and_revocations_while_connected() {
    let mut sandbox = Sandbox::new();
    let _printer = sandbox.installation.start_printer();
    let _hosts = sandbox.installation.start_hosts();
    let files = [
        sandbox.terminal(1, "T0000001"),
        sandbox.terminal(2, "T0000003"),
    ];
    let checked = Installation::command(&["config", "check"])
        .arg(&files[0])
        .output()
        .expect("it runs");
    let words = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(words.contains("both sides are authenticated"), "{words}");

    let mut till = start_till(&files[0]);
    till.expect_screen("signed-on");
    till.tell("sale 128.00");
    till.expect_screen("approved");
    assert!(sandbox.count(0, "tls_secured") >= 1);
    assert_eq!(sandbox.count(1, "tls_secured"), 2);

    // A till with another till's certificate: it never gets an answer.
    let mut cloned = start_till(&files[1]);
    wait_until("the cloned terminal is refused", || {
        sandbox.count(0, "wrong_terminal") >= 1
    });
    assert!(cloned.is_alive());
    let records = |sandbox: &Sandbox| sandbox.count(0, "wrong_terminal");
    let refused = records(&sandbox);
    cloned.tell("sale 1.00");
    wait_until("it is refused again", || records(&sandbox) > refused);
    assert!(!cloned.lines().iter().any(|line| line.contains("signed-on")));

    sandbox.revoke("terminal T0000001 of merchant 898100053110001");
    wait_until("its open connection is closed", || {
        sandbox.count(0, "tls_revoked") >= 1
    });
    let before = sandbox.count(0, "tls_revoked");
    till.tell("balance");
    wait_until("its next connection is refused", || {
        sandbox.count(0, "tls_revoked") > before
    });

    sandbox.revoke("member 01030000");
    wait_until("the bank's link is closed, and not taken again", || {
        sandbox.count(1, "tls_revoked") >= 2
    });
    assert_eq!(sandbox.count(1, "strangers"), 0);
}

#[test]
fn who_is_let_in_and_who_may_speak() {
    let mut sandbox = Sandbox::new();
    let now = SystemTime::now();
    let folder = sandbox.installation.path("authority");
    let ca = folder.join("ca.pem");
    let mut elsewhere = authority(&sandbox.installation.path("elsewhere"));
    let (foreign, _) = issue(&mut elsewhere, terminal("T0000001"));
    let (foreign_member, _) = issue(&mut elsewhere, member(48_500_001));
    let (own, _) = issue(&mut sandbox.authority, terminal("T0000001"));
    let (revoked, serial) = issue(&mut sandbox.authority, terminal("T0000002"));
    sandbox.authority.revoke(&serial, now).expect("it is");
    let mut aged = |id, valid| {
        let (files, _) = sandbox
            .authority
            .issue_for(&terminal(id), valid, now)
            .expect("a certificate");
        files
    };
    let expired = aged("T0000004", now - 3 * DAY..now - DAY);
    let early = aged("T0000005", now + DAY..now + 3 * DAY);
    let (host, _) = issue(&mut sandbox.authority, server("other.example"));
    let member_files = |code: u64| Credentials {
        ca: ca.clone(),
        certificate: folder.join(format!("member-{code}.pem")),
        key: folder.join(format!("member-{code}.key")),
        crl: folder.join("crl.pem"),
    };
    let (bank, shop) = (member_files(1_030_000), member_files(48_500_001));
    let _hosts = sandbox.installation.start_hosts();
    let ports = sandbox.installation.ports();
    let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));

    let right = echo_test("T0000001", MERCHANT);
    let clone = echo_test("T0000002", MERCHANT);
    let moved = echo_test("T0000001", OTHER_MERCHANT);
    let mut unread = right.clone();
    *unread.last_mut().expect("a byte") = 0xff;
    let impostor = host_frame(b"48500001", 1);
    for (host, name, own, frame, why) in [
        (0, ACQUIRER, None, &right, "tls_no_certificate"),
        (0, ACQUIRER, Some(&foreign), &right, "tls_unknown_authority"),
        (0, ACQUIRER, Some(&expired), &right, "tls_expired"),
        (0, ACQUIRER, Some(&early), &right, "tls_expired"),
        (0, ACQUIRER, Some(&revoked), &right, "tls_revoked"),
        (0, ACQUIRER, Some(&host), &right, "tls_unnamed"),
        (0, ACQUIRER, Some(&bank), &right, "tls_unnamed"),
        (0, ACQUIRER, Some(&own), &clone, "wrong_terminal"),
        (0, ACQUIRER, Some(&own), &moved, "wrong_merchant"),
        (0, ACQUIRER, Some(&own), &unread, "garbage"),
        (1, NETWORK, None, &impostor, "tls_no_certificate"),
        (
            1,
            NETWORK,
            Some(&foreign_member),
            &impostor,
            "tls_unknown_authority",
        ),
        (1, NETWORK, Some(&own), &impostor, "tls_unnamed"),
        (1, NETWORK, Some(&bank), &impostor, "wrong_member"),
    ] {
        let port = [ports.terminals, ports.members][host];
        let before = sandbox.count(host, why);
        let frames = sandbox.count(host, "frames_in");
        let stream = secured(at(port), &client(&ca, own), name);
        let answer = said(stream, frame);
        assert!(
            answer.as_ref().map_or(true, Vec::is_empty),
            "{why}: {answer:?}"
        );
        wait_until(why, || sandbox.count(host, why) > before);
        if host == 0 {
            assert_eq!(sandbox.count(host, "frames_in"), frames, "{why}");
        }
    }
    // Nobody took the acquirer's link, and the acquirer itself could.
    assert_eq!(sandbox.count(1, "replaced"), 0);
    let answer = said(
        secured(at(ports.members), &client(&ca, Some(&shop)), NETWORK),
        &impostor,
    );
    wait_until("it is replaced", || sandbox.count(1, "replaced") >= 1);
    drop(answer);
    // What the certificate names is heard.
    let frames = sandbox.count(0, "frames_in");
    let mut heard = secured(at(ports.terminals), &client(&ca, Some(&own)), ACQUIRER);
    heard.write_all(&right).expect("it is written");
    wait_until("it is heard", || sandbox.count(0, "frames_in") > frames);

    // More sessions from the same place stand beside it; a copy from another place closes them, and is seen.
    let mut beside = secured(at(ports.terminals), &client(&ca, Some(&own)), ACQUIRER);
    beside.write_all(&right).expect("it is written");
    wait_until("it is heard", || sandbox.count(0, "frames_in") > frames + 1);
    heard.write_all(&right).expect("the first is open");
    wait_until("it is heard", || sandbox.count(0, "frames_in") > frames + 2);
    assert_eq!(sandbox.count(0, "second_place"), 0);
    let mut copy = elsewhere_on_loopback(at(ports.terminals), &client(&ca, Some(&own)));
    copy.write_all(&right).expect("it is written");
    wait_until("it is seen", || sandbox.count(0, "second_place") == 1);
    for mut older in [heard, beside] {
        older.read_to_end(&mut Vec::new()).expect("it is closed");
    }
    wait_until("the copy is heard", || {
        sandbox.count(0, "frames_in") > frames + 3
    });
}

/// The same connection from another address of this machine.
fn elsewhere_on_loopback(address: SocketAddr, config: &Arc<ClientConfig>) -> Secured {
    let stream = runtime().block_on(async {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .bind(([127, 0, 0, 2], 0).into())
            .expect("all of 127/8 is this machine");
        let stream = socket.connect(address).await.expect("it connects");
        stream.into_std().expect("a stream")
    });
    stream.set_nonblocking(false).expect("it is set");
    let name = ServerName::try_from(ACQUIRER).expect("a name");
    let tls = ClientConnection::new(Arc::clone(config), name).expect("a client");
    StreamOwned::new(tls, stream)
}

/// A member port with an echo behind it, under TLS.
struct MemberPort {
    driver: Driver<Echo>,
    address: SocketAddr,
    authority: Authority,
    /// Of member 77.
    member: Credentials,
    serial: String,
    _listening: Listening,
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

impl MemberPort {
    fn open(limits: Limits) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut authority = authority(&folder.path().join("authority"));
        let (own, _) = issue(&mut authority, server(NETWORK));
        let (member, serial) = issue(&mut authority, member(77));
        let driver = start(&folder.path().join("echo.db"));
        let runtime = runtime();
        let listening = runtime
            .block_on(async {
                let inbound = Inbound::Tls(Tls::open(own).expect("it opens"));
                let (members, handle) = (vec![Institution(77)], driver.handle().clone());
                listen_members(([127, 0, 0, 1], 0).into(), members, inbound, limits, handle)
            })
            .expect("it listens");
        Self {
            driver,
            address: listening.address(),
            authority,
            member,
            serial,
            _listening: listening,
            runtime,
            folder,
        }
    }

    fn count(&self, count: LinkCount) -> u64 {
        self.driver.handle().link_figures().get(count)
    }

    fn member(&self) -> Secured {
        let config = client(&self.member.ca, Some(&self.member));
        secured(self.address, &config, NETWORK)
    }
}

fn ask(stream: &mut Secured, n: u64) -> u64 {
    let mut frame = host_frame(b"77", n);
    stream.write_all(&frame).expect("it is written");
    stream.read_exact(&mut frame).expect("an answer");
    number(open_host(&frame).expect("a frame").1)
}

#[test]
fn many_frames_of_any_size_of_write_arrive_once() {
    let port = MemberPort::open(Limits::default());
    let mut stream = port.member();
    let many: Vec<u8> = (0..3_000).flat_map(|n| host_frame(b"77", n)).collect();
    let frame_bytes = many.len() / 3_000;
    // Records that end anywhere in a frame.
    for (round, piece) in [1_usize, 7, 1_000, 40_000].into_iter().enumerate() {
        let some = &many[..many.len() * (round + 1) / 4 / frame_bytes * frame_bytes];
        for part in some.chunks(piece * (1 + frame_bytes / 9)) {
            stream.write_all(part).expect("it is written");
        }
        let mut answers = vec![0; some.len()];
        stream.read_exact(&mut answers).expect("every answer");
        for (n, answer) in answers.chunks(frame_bytes).enumerate() {
            assert_eq!(number(open_host(answer).expect("a frame").1), n as u64);
        }
    }
}

#[test]
fn half_handshakes_give_their_places_back() {
    let port = MemberPort::open(Limits {
        handshake_ms: 400,
        ..Limits::default()
    });
    let mut neighbour = port.member();
    assert_eq!(ask(&mut neighbour, 1), 1);
    let rounds = HANDSHAKES_MAX / 1_000 + 1;
    for round in 1..=rounds as u64 {
        let halves: Vec<_> = (0..1_000)
            .map(|_| {
                let mut half = connect(port.address);
                half.write_all(&[22, 3, 1, 1, 0, 1, 0])
                    .expect("it is written");
                half
            })
            .collect();
        assert_eq!(ask(&mut neighbour, round), round);
        assert_eq!(ask(&mut port.member(), 1_000 + round), 1_000 + round);
        neighbour = port.member();
        assert_eq!(ask(&mut neighbour, 9), 9);
        wait_until("all of them are cut", || {
            port.count(LinkCount::TlsSlow) == round * 1_000
        });
        drop(halves);
    }
    assert_eq!(port.count(LinkCount::Crowded), 0);
}

#[test]
fn slow_bytes_and_long_handshakes_are_cut() {
    let port = MemberPort::open(Limits {
        handshake_ms: 400,
        frame_ms: 400,
        ..Limits::default()
    });
    let mut neighbour = port.member();
    assert_eq!(ask(&mut neighbour, 1), 1);

    // A hello that goes on for ever, byte by byte.
    let mut slow = connect(port.address);
    for byte in [22, 3, 1, 1, 0].into_iter().chain([0; 250]) {
        if slow.write_all(&[byte]).is_err() || port.count(LinkCount::TlsSlow) > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    wait_until("it is cut", || port.count(LinkCount::TlsSlow) == 1);

    // A record that goes on for ever, byte by byte, after an honest handshake.
    let mut stream = port.member();
    assert_eq!(ask(&mut stream, 2), 2);
    for byte in [23, 3, 3, 1, 0].into_iter().chain([0; 250]) {
        if stream.sock.write_all(&[byte]).is_err() || port.count(LinkCount::Slow) > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    wait_until("it is cut", || port.count(LinkCount::Slow) == 1);

    // A record that nobody sealed.
    let mut neighbour = port.member();
    assert_eq!(ask(&mut neighbour, 3), 3);
    let forged = [23, 3, 3, 0, 32].into_iter().chain([7; 32]);
    let forged: Vec<u8> = forged.collect();
    neighbour.sock.write_all(&forged).expect("it is written");
    wait_until("it breaks", || port.count(LinkCount::TlsBroken) == 1);

    // More bytes than a handshake may have.
    let mut long = connect(port.address);
    let mut hello = vec![22, 3, 1, 0x40, 0, 1, 0, 0xff, 0];
    hello.resize(5 + 0x4000, 0);
    let record = [&[22, 3, 1, 0x40, 0][..], &[0; 0x4000]].concat();
    let mut sent = hello.len();
    let _ = long.write_all(&hello);
    while sent < 2 * HANDSHAKE_BYTES_MAX && long.write_all(&record).is_ok() {
        sent += record.len();
    }
    wait_until("it is cut", || port.count(LinkCount::TlsGarbage) == 1);
    assert_eq!(ask(&mut port.member(), 4), 4);
}

#[test]
fn the_wrong_protocol_ends_clean_on_both_sides() {
    let port = MemberPort::open(Limits::default());
    // Plain frames.
    let mut plain = connect(port.address);
    plain
        .write_all(&host_frame(b"77", 1))
        .expect("it is written");
    let mut alert = Vec::new();
    let _ = plain.read_to_end(&mut alert);
    wait_until("it is counted", || port.count(LinkCount::TlsGarbage) == 1);
    assert_eq!(port.count(LinkCount::FramesIn), 0);

    // A client that knows TLS 1.2 only.
    let mut old = connect(port.address);
    old.write_all(&hello_of_tls_1_2()).expect("it is written");
    let mut alert = Vec::new();
    let _ = old.read_to_end(&mut alert);
    // Fatal: protocol version.
    assert_eq!(alert, [21, 3, 3, 0, 2, 2, 70]);
    wait_until("it is counted", || {
        port.count(LinkCount::TlsIncompatible) == 1
    });

    // A certificate for another name: our side refuses, and nothing is sent.
    let config = client(&port.member.ca, Some(&port.member));
    said(secured(port.address, &config, ACQUIRER), b"x").expect_err("another name");

    // TLS towards a plain port.
    let plain_port = Port::open(Limits::default());
    said(secured(plain_port.address, &config, ACQUIRER), b"x").expect_err("no TLS there");
    wait_until("it is counted", || {
        plain_port.count(LinkCount::Garbage) == 1
    });

    // The program's own terminal side: what certainly did not leave is told.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = silent
        .local_addr()
        .map(|at| (silent, at))
        .expect("it listens");
    for (address, name, why) in [
        (port.address, "other.example", LinkCount::TlsUnnamed),
        (plain_port.address, NETWORK, LinkCount::TlsGone),
        (silent.1, NETWORK, LinkCount::TlsSlow),
    ] {
        let journal = port.folder.path().join(format!("caller-{}.db", why.name()));
        let caller = start(&journal);
        port.runtime.block_on(async {
            let tls = Tls::open(port.member.clone()).expect("it opens");
            let outbound = Outbound::Tls(tls, ServerName::try_from(name).expect("a name"));
            let limits = Limits {
                handshake_ms: 500,
                ..Limits::default()
            };
            let handle = caller.handle().clone();
            let at = address.to_string();
            dial(
                at,
                Framing::Terminal,
                Dialing::Short,
                outbound,
                limits,
                handle,
            );
        });
        caller
            .handle()
            .send(Input::Say(Peer::Exchange(1), 8))
            .expect("there is room");
        wait_until(why.name(), || {
            let told = |echo: &Echo, _: payment::Now| echo.state().undelivered.contains(&8);
            caller.handle().look_blocking(told).expect("it answers")
        });
        assert_eq!(caller.handle().link_figures().get(why), 1, "{}", why.name());
        caller.stop().expect("it stops");
    }
}

/// The first message of a client whose newest version is 1.2: no `supported_versions`.
fn hello_of_tls_1_2() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([0x5a; 32]);
    // No session, two suites, no compression.
    body.extend([0, 0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0]);
    let groups = [0, 10, 0, 4, 0, 2, 0, 23];
    let points = [0, 11, 0, 2, 1, 0];
    let signatures = [0, 13, 0, 6, 0, 4, 4, 3, 8, 4];
    let extensions = [&groups[..], &points, &signatures].concat();
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    let mut hello = vec![22, 3, 1];
    hello.extend((body.len() as u16 + 4).to_be_bytes());
    hello.extend([1, 0]);
    hello.extend((body.len() as u16).to_be_bytes());
    hello.extend(body);
    hello
}

#[test]
fn a_revocation_list_is_read_again_and_a_broken_one_changes_nothing() {
    let mut port = MemberPort::open(Limits::default());
    let mut stream = port.member();
    assert_eq!(ask(&mut stream, 1), 1);
    let crl = port.folder.path().join("authority/crl.pem");
    let whole = std::fs::read(&crl).expect("the list");
    for broken in [&b"nonsense"[..], b"", &whole[..whole.len() / 2]] {
        std::fs::write(&crl, broken).expect("it is written");
        std::thread::sleep(Duration::from_millis(700));
        assert_eq!(ask(&mut stream, 2), 2);
        assert_eq!(ask(&mut port.member(), 3), 3);
        stream = port.member();
        assert_eq!(ask(&mut stream, 4), 4);
    }
    assert_eq!(port.count(LinkCount::TlsRevoked), 0);
    let serial = port.serial.clone();
    port.authority
        .revoke(&serial, SystemTime::now())
        .expect("it is revoked");
    wait_until("the open connection is closed", || {
        port.count(LinkCount::TlsRevoked) == 1
    });
    assert!(matches!(stream.read(&mut [0; 1]), Ok(0)));
    let mut again = port.member();
    let _ = again.write_all(&host_frame(b"77", 5));
    again.read_exact(&mut [0; 1]).expect_err("it is refused");
    wait_until("the refusal is counted", || {
        port.count(LinkCount::TlsRevoked) == 2
    });
}
