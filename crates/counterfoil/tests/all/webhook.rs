//! The webhook sender against a receiver that is down, slow to agree, and checks signatures.

use crate::wait_until;
use base64::Engine;
use counterfoil::webhook::{Settings, Webhook, signature};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

#[test]
fn the_signature_is_that_of_the_published_example() {
    // The vector that the reference libraries of Standard Webhooks share.
    let secret = base64::engine::general_purpose::STANDARD
        .decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        .expect("base64");
    assert_eq!(
        signature(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#
        ),
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    );
}

/// Takes one request, says `status`, and gives its headers in lower case and its body.
pub fn answer(listener: &TcpListener, status: &str) -> (String, String) {
    let (mut stream, _) = listener.accept().expect("somebody posts");
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).expect("a line") > 2 {
        head.push_str(&line.to_lowercase());
        line.clear();
    }
    let length = header(&head, "content-length").parse().expect("a length");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
    .expect("it is written");
    (head, String::from_utf8(body).expect("text"))
}

pub fn header<'a>(head: &'a str, name: &str) -> &'a str {
    head.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap_or_default()
}

#[test]
fn a_notice_is_posted_until_it_is_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!(
        "http://{}/notices",
        listener.local_addr().expect("its address")
    );
    let mut settings = Settings::new(address, b"secret".to_vec());
    settings.gap_ms = (5, 20);
    let webhook = Webhook::start(settings);
    webhook.notify("notice-1", r#"{"is":"first"}"#.to_owned());
    webhook.notify("notice-2", r#"{"is":"second"}"#.to_owned());
    for (status, id, json) in [
        ("500 No", "notice-1", r#"{"is":"first"}"#),
        ("404 No", "notice-1", r#"{"is":"first"}"#),
        ("204 Yes", "notice-1", r#"{"is":"first"}"#),
        ("503 No", "notice-2", r#"{"is":"second"}"#),
        ("200 OK", "notice-2", r#"{"is":"second"}"#),
    ] {
        let (head, body) = answer(&listener, status);
        assert_eq!((header(&head, "webhook-id"), body.as_str()), (id, json));
        assert!(head.starts_with("post /notices "), "{head}");
        let at = header(&head, "webhook-timestamp").parse().expect("seconds");
        let expected = signature(b"secret", id, at, json).to_lowercase();
        assert_eq!(header(&head, "webhook-signature"), expected);
    }
    wait_until("both are taken", || webhook.figures().delivered == 2);
    let figures = webhook.figures();
    assert_eq!(
        (figures.failed, figures.dropped, figures.waiting),
        (3, 0, 0)
    );
}

#[test]
fn too_many_notices_push_out_the_oldest() {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("its address");
    let mut settings = Settings::new(format!("http://{nobody}/"), b"secret".to_vec());
    settings.waiting_max = 3;
    settings.gap_ms = (60_000, 60_000);
    let webhook = Webhook::start(settings);
    (0..10).for_each(|n| webhook.notify(&format!("notice-{n}"), "{}".to_owned()));
    assert_eq!(
        (webhook.figures().dropped, webhook.figures().waiting),
        (7, 3)
    );
    // Ends at once, although its next attempt is a minute away.
    drop(webhook);
}
