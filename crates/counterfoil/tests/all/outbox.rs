//! The outbox against gateways that refuse, over a restart in the middle.

use crate::wait_until;
use crate::webhook::{answer, header};
use counterfoil::outbox::{Outbox, PER_LINK_MAX, Refusal};
use counterfoil::webhook::Settings;
use payment::LinkId;
use rusqlite::Connection;
use std::net::TcpListener;
use std::path::Path;

const BASE: &str = "http://127.0.0.1:7102/r";
const LINK: LinkId = LinkId([0xC5; 10]);

fn gateway() -> (TcpListener, Settings) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/", listener.local_addr().expect("its address"));
    let mut settings = Settings::new(address, b"secret".to_vec());
    settings.gap_ms = (5, 20);
    (listener, settings)
}

fn rows(data: &Path, query: &str) -> Vec<String> {
    let file = Connection::open(data.join("outbox.db")).expect("the outbox");
    let mut query = file.prepare(query).expect("a query");
    let rows = query.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("text")
}

#[test]
fn a_message_is_delivered_once_although_refused_twice_and_restarted_between() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let (listener, settings) = gateway();
    // Long enough that the next attempt is made by the next start.
    let patient = Settings {
        gap_ms: (1_000, 1_000),
        ..settings.clone()
    };
    let outbox = Outbox::open(data, Some(patient), None).expect("it opens");
    outbox.send("13800138000", LINK, BASE).expect("it is taken");
    let (first, _) = answer(&listener, "500 No");
    wait_until("the refusal is written down", || {
        rows(data, "SELECT refused FROM attempt").len() == 1
    });
    drop(outbox);
    let outbox = Outbox::open(data, Some(settings), None).expect("it opens again");
    let (second, _) = answer(&listener, "503 No");
    let (third, body) = answer(&listener, "204 Yes");
    for head in [&second, &third] {
        assert_eq!(header(head, "webhook-id"), header(&first, "webhook-id"));
    }
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body["to"], "13800138000");
    assert_eq!(body["link"], "HTTP://127.0.0.1:7102/R/RQ2WBHE5RQ2WBHE5");
    wait_until("it is marked", || {
        rows(data, "SELECT state FROM message") == ["sent"]
    });
    assert_eq!(
        rows(
            data,
            "SELECT coalesce(address, 'forgotten') || coalesce(json, '') FROM message"
        ),
        ["forgotten"]
    );
    assert_eq!(
        rows(data, "SELECT coalesce(refused, 'taken') FROM attempt").len(),
        3
    );
    // Nothing is sent again, now or after another start.
    drop(outbox);
    listener.set_nonblocking(true).expect("it can be asked");
    let outbox = Outbox::open(data, Some(gateway().1), None).expect("it opens");
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert!(listener.accept().is_err(), "delivered twice");
    drop(outbox);
}

#[test]
fn what_is_not_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_listener, mut settings) = gateway();
    settings.gap_ms = (60_000, 60_000);
    let outbox = Outbox::open(folder.path(), None, Some(settings)).expect("it opens");
    assert_eq!(outbox.send("nobody", LINK, BASE), Err(Refusal::Address));
    assert_eq!(
        outbox.send("13800138000", LINK, BASE),
        Err(Refusal::Channel)
    );
    for _ in 0..PER_LINK_MAX {
        assert_eq!(outbox.send("li@example.cn", LINK, BASE), Ok(()));
    }
    assert_eq!(outbox.send("li@example.cn", LINK, BASE), Err(Refusal::Full));
    assert_eq!(outbox.send("li@example.cn", LinkId([1; 10]), BASE), Ok(()));
}
