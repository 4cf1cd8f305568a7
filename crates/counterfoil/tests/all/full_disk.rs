//! A disk that takes no more: nothing leaves whose record is not written, and the party says that it has stopped (D5).

use crate::echo::{Echo, Input, number, start, start_with, terminal_frame};
use crate::{runtime, wait_until};
use counterfoil::driver::{Refused, Settings, Stop};
use counterfoil::link::{Inbound, Limits, listen_terminals};
use iso8583::frame::{Framing, open_terminal};
use payment::Party;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[test]
fn no_answer_and_no_effect_leaves_after_a_failed_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("echo.db");
    let mut settings = Settings::new(path.clone(), "echo", "test");
    settings.journal_pages_max = Some(24);
    let told = Arc::new(Mutex::new(BTreeSet::new()));
    let sink = Arc::clone(&told);
    let driver = start_with(
        Echo::new(),
        settings,
        Box::new(move |effect| {
            if let crate::echo::Effect::Tell(n) = effect {
                sink.lock().expect("no panic").insert(n);
            }
        }),
    );
    let handle = driver.handle().clone();
    let runtime = runtime();
    let listening = runtime
        .block_on(async {
            listen_terminals(
                ([127, 0, 0, 1], 0).into(),
                Framing::Terminal,
                Inbound::Plain,
                Limits::default(),
                handle.clone(),
            )
        })
        .expect("it listens");
    let address = listening.address();
    let mut stream = TcpStream::connect(address).expect("it connects");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("it is set");
    // One at a time: what was answered must be in the journal, whatever happens to the next one.
    let mut answered = BTreeSet::new();
    for n in 0..100_000 {
        let _ = handle.send(Input::Tell(n));
        let mut frame = terminal_frame(n);
        let length = frame.len();
        if stream.write_all(&frame).is_err() || stream.read_exact(&mut frame[..length]).is_err() {
            break;
        }
        assert_eq!(number(open_terminal(&frame).expect("a frame").1), n);
        answered.insert(n);
    }
    assert!(
        (10..100_000).contains(&answered.len()),
        "{} answered",
        answered.len()
    );
    wait_until("the party says that it stopped", || {
        handle.stopped().is_some()
    });
    let Some(Stop::Failed(why)) = handle.stopped() else {
        panic!("it did not say why");
    };
    assert!(why.contains("echo.db") && why.contains("full"), "{why}");
    assert_eq!(handle.send(Input::Tell(0)), Err(Refused::Stopped));
    assert_eq!(driver.join(), Err(why));
    wait_until("nobody listens any more", || {
        TcpStream::connect(address).is_err()
    });

    let driver = start(&path);
    let (heard, said) = driver
        .handle()
        .look_blocking(|echo, _| (echo.state().heard.clone(), echo.state().told.clone()))
        .expect("it answers");
    assert!(
        answered.iter().all(|n| heard.contains_key(n)),
        "an answer left that was not durable"
    );
    let said: BTreeSet<u64> = said.into_iter().collect();
    assert!(
        told.lock().expect("no panic").is_subset(&said),
        "an effect was performed that was not durable"
    );
    driver.stop().expect("it stops");
}
