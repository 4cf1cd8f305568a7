//! Signatures both ways: what a provider takes, and what an adapter believes.

use super::{MERCHANT, Wallet, credentials, name, start};
use crate::installation::free_port;
use acquirer::wallet::WalletAnswer;
use counterfoil::wallet::signing::{
    Answered, Asked, CLIENT, NONCE, Refused, SIGNATURE, TIMESTAMP, WINDOW_MS,
};
use counterfoil::wallet::{ATTEMPT_MS, NoAnswer, OrderName, SandboxWallet, WalletProvider};
use payment::Amount;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::time::{SystemTime, UNIX_EPOCH};

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("after 1970").as_millis() as i64
}

/// Sends a request as it stands; the status and the refusal that came back.
fn send(port: u16, asked: &Asked<'_>, signature: &str) -> (u16, Option<Refused>) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut answer = agent
        .post(format!("http://127.0.0.1:{port}{}", asked.path))
        .header(CLIENT, asked.client)
        .header(TIMESTAMP, asked.at_ms.to_string())
        .header(NONCE, asked.nonce)
        .header(SIGNATURE, signature)
        .send(asked.body)
        .expect("somebody answers");
    let body = answer.body_mut().read_to_vec().expect("a body");
    (answer.status().as_u16(), serde_json::from_slice(&body).ok())
}

#[test]
fn a_request_is_taken_once_signed_and_in_its_time() {
    let wallet = Wallet::start();
    let body = format!(r#"{{"merchant":"{MERCHANT}","amount_minor":100,"currency":156}}"#);
    let at_ms = now_ms();
    let good = Asked {
        client: "48500001",
        method: "POST",
        path: "/v1/orders/N1",
        at_ms,
        nonce: "nonce-1",
        body: body.as_bytes(),
    };
    let secret = credentials().secret;
    let check = |asked: &Asked<'_>, secret: &[u8], expected: Option<&str>| {
        let (status, refused) = send(wallet.port, asked, &asked.signature(secret));
        let named = refused.map(|refused| {
            assert_eq!(refused.status(), status);
            let named = serde_json::to_value(refused).expect("JSON");
            named["error"].as_str().expect("a name").to_owned()
        });
        assert_eq!(named.as_deref(), expected, "{asked:?}");
        assert_eq!(status == 200, expected.is_none());
    };
    let orders = || wallet.simulator.orders(10).expect("a disk").len();
    let refused = [
        (
            Asked {
                client: "48500002",
                ..good
            },
            "unknown-client",
        ),
        (Asked { nonce: "", ..good }, "unknown-client"),
        (
            Asked {
                at_ms: at_ms - WINDOW_MS - 1_000,
                ..good
            },
            "clock-skew",
        ),
        (
            Asked {
                at_ms: at_ms + WINDOW_MS + 5_000,
                ..good
            },
            "clock-skew",
        ),
        (Asked { at_ms: 0, ..good }, "clock-skew"),
        (
            Asked {
                path: "/v1/orders/N1/other",
                nonce: "nonce-2",
                ..good
            },
            "malformed",
        ),
        (
            Asked {
                path: "/v1/orders/N%201",
                nonce: "nonce-3",
                ..good
            },
            "malformed",
        ),
        (
            Asked {
                body: b"{}",
                nonce: "nonce-4",
                ..good
            },
            "malformed",
        ),
        (
            Asked {
                body: b"\xFF",
                nonce: "nonce-5",
                ..good
            },
            "malformed",
        ),
    ];
    for (asked, expected) in refused {
        check(&asked, &secret, Some(expected));
    }
    check(&good, b"another secret", Some("bad-signature"));
    assert_eq!(orders(), 0);
    check(&good, &secret, None);
    check(&good, &secret, Some("nonce-reused"));
    check(
        &Asked {
            nonce: "nonce-6",
            ..good
        },
        &secret,
        None,
    );
    assert_eq!(orders(), 1);
    // The same number for another amount is another order.
    let other = body.replace("100", "200");
    let other = Asked {
        nonce: "nonce-7",
        body: other.as_bytes(),
        ..good
    };
    check(&other, &secret, Some("malformed"));
}

#[test]
fn a_nonce_is_remembered_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let body = format!(r#"{{"merchant":"{MERCHANT}","amount_minor":100,"currency":156}}"#);
    let asked = Asked {
        client: "48500001",
        method: "POST",
        path: "/v1/orders/N1",
        at_ms: now_ms(),
        nonce: "nonce-1",
        body: body.as_bytes(),
    };
    let signature = asked.signature(&credentials().secret);
    for (round, expected) in [(0, None), (1, Some(Refused::NonceReused))] {
        let port = free_port();
        let mut process = start(folder.path(), port);
        let (_, refused) = send(port, &asked, &signature);
        assert_eq!(refused, expected, "round {round}");
        process.kill();
    }
}

/// Answers one request with what `answer` makes of its nonce.
fn pretender(answer: impl Fn(&str) -> String + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody asks");
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let (mut nonce, mut line) = (String::new(), String::new());
        while reader.read_line(&mut line).expect("a line") > 2 {
            let lower = line.to_lowercase();
            if lower.starts_with("wallet-nonce: ") {
                line[14..].trim().clone_into(&mut nonce);
            }
            line.clear();
        }
        stream
            .write_all(answer(&nonce).as_bytes())
            .expect("it is written");
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = reader.read_to_end(&mut Vec::new());
    });
    port
}

fn reply(body: &str, at_ms: i64, signature: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\n{TIMESTAMP}: {at_ms}\r\n{SIGNATURE}: {signature}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn an_answer_counts_only_when_it_is_signed_for_its_request() {
    let order = name(1, Amount::fen(100));
    let number = order.number.clone();
    let body = format!(r#"{{"number":"{number}","state":"closed"}}"#);
    let other = body.replace(&number, "N2");
    let make =
        move |body: String, late_ms: i64, key: &'static [u8], nonce: Option<&'static str>| {
            move |asked: &str| {
                let at_ms = now_ms() - late_ms;
                let answered = Answered {
                    status: 200,
                    nonce: nonce.unwrap_or(asked),
                    at_ms,
                    body: body.as_bytes(),
                };
                reply(&body, at_ms, &answered.signature(key))
            }
        };
    let secret: &[u8] = b"published sandbox secret";
    let ask = |port: u16| {
        let base = format!("http://127.0.0.1:{port}/");
        SandboxWallet::new(&base, credentials(), ATTEMPT_MS).poll(&order)
    };
    let said = ask(pretender(make(body.clone(), 0, secret, None)));
    assert_eq!(said, Ok(WalletAnswer::Closed));
    for (body, key, nonce) in [
        (&body, b"no secret".as_slice(), None),
        (&body, secret, Some("other")),
    ] {
        let said = ask(pretender(make(body.clone(), 0, key, nonce)));
        assert_eq!(said, Err(NoAnswer::NotTheirs));
    }
    let late = ask(pretender(make(body, WINDOW_MS + 5_000, secret, None)));
    assert!(
        matches!(late, Err(NoAnswer::Refused(Refused::ClockSkew { .. }))),
        "{late:?}"
    );
    for strange in [
        other,
        "{}".to_owned(),
        format!(r#"{{"number":"{number}","state":"paid"}}"#),
    ] {
        let said = ask(pretender(make(strange, 0, secret, None)));
        assert!(matches!(said, Err(NoAnswer::Unclear(_))), "{said:?}");
    }
    let broken = SandboxWallet::new("http://127.0.0.1:9", credentials(), 500);
    assert!(matches!(broken.poll(&order), Err(NoAnswer::Unreachable(_))));
    let unnamed = OrderName {
        number: "../N1".to_owned(),
        ..order.clone()
    };
    assert!(matches!(broken.poll(&unnamed), Err(NoAnswer::NotAsked(_))));
}
