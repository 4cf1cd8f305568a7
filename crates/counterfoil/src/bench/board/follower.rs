//! One who keeps the live board open, and notes of every message when it came, how long it is and what it tells.

use super::browser::Browser;
use crate::bench::purchases::Purchase;
use crate::config::Problem;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::thread::JoinHandle;
use std::time::Instant;

/// A message of the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Microseconds on the purchases' clock.
    pub at_us: u64,
    /// Its length.
    pub bytes: usize,
    /// The newest sale that it lists; none when its rows are as before.
    pub newest: Option<String>,
}

/// A follower in a thread of its own, until the stream ends.
pub(super) struct Follower {
    thread: JoinHandle<Vec<Message>>,
}

impl Follower {
    /// Opens the board's stream; `origin` is when the purchases' clock began.
    pub(super) fn start(browser: &Browser, origin: Instant) -> Result<Self, Problem> {
        let answer = browser.get("/console/live")?;
        if answer.status() != 200 {
            return Err(format!("the board: {}", answer.status()));
        }
        let follow = move || {
            let mut messages = Vec::new();
            let lines = BufReader::new(answer.into_body().into_reader()).lines();
            for line in lines.map_while(Result::ok) {
                let Some(data) = line.strip_prefix("data:") else {
                    continue;
                };
                messages.push(Message {
                    at_us: origin.elapsed().as_micros() as u64,
                    bytes: line.len(),
                    newest: first_key(data),
                });
            }
            messages
        };
        let thread = std::thread::Builder::new().name("board".to_owned());
        let thread = thread.spawn(follow).map_err(|error| error.to_string())?;
        Ok(Self { thread })
    }

    /// What it was sent; waits for the end of the stream.
    pub(super) fn stop(self) -> Vec<Message> {
        self.thread.join().unwrap_or_default()
    }
}

/// The sale that the first row of a board leads to: rows are newest first.
pub(super) fn first_key(board: &str) -> Option<String> {
    let (_, after) = board.split_once("/console/sale/")?;
    let key = after.split(['"', '\\']).next()?;
    Some(key.to_owned())
}

/// For every purchase begun from `from_us` on: how long until a message told of it or of a later one, in microseconds.
pub(super) fn staleness(purchases: &[Purchase], messages: &[&Message], from_us: u64) -> Vec<u64> {
    let begun = |purchase: &Purchase| Some((purchase.key?.to_string(), purchase.sent_us));
    let begun: BTreeMap<String, u64> = purchases.iter().filter_map(begun).collect();
    let mut waiting: Vec<u64> = begun
        .values()
        .copied()
        .filter(|us| *us >= from_us)
        .collect();
    waiting.sort_unstable();
    let mut told = Vec::new();
    for message in messages {
        let newest = message.newest.as_ref().and_then(|key| begun.get(key));
        let Some(newest_us) = newest else { continue };
        let covered = waiting.partition_point(|us| us <= newest_us);
        told.extend(
            waiting
                .drain(..covered)
                .map(|us| message.at_us.saturating_sub(us)),
        );
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::purchases::Outcome;
    use payment::{Batch, MerchantId, SaleKey, Stan, TerminalId};

    #[test]
    fn a_purchase_is_told_by_the_first_board_with_it_or_a_later_one() {
        let purchase = |stan, sent_us| Purchase {
            place: 0,
            key: Some(SaleKey {
                terminal: TerminalId::parse(b"T0000001").expect("a number"),
                merchant: MerchantId::parse(b"898100053110001").expect("a number"),
                batch: Batch(1),
                stan: Stan(stan),
            }),
            amount_minor: 1,
            intended_us: sent_us,
            sent_us,
            ended_us: sent_us,
            outcome: Outcome::Approved,
            timed: true,
        };
        let purchases = [
            purchase(1, 5),
            purchase(2, 10),
            purchase(3, 20),
            purchase(4, 90),
        ];
        let message = |at_us, newest: Option<u32>| Message {
            at_us,
            bytes: 1,
            newest: newest.map(|stan| format!("T0000001/000001/{stan:06}")),
        };
        let sent = [
            message(30, Some(2)),
            message(40, None),
            message(50, Some(3)),
        ];
        let sent: Vec<&Message> = sent.iter().collect();
        assert_eq!(staleness(&purchases, &sent, 6), [20, 30]);
        assert_eq!(staleness(&purchases, &sent, 0), [25, 20, 30]);
    }

    #[test]
    fn the_first_row_is_found_in_a_page_and_in_a_message() {
        let key = Some("T0000001/000001/000042".to_owned());
        for board in [
            r#"<a href="/console/sale/T0000001/000001/000042">"#,
            r#"{"stream":"<a href=\"/console/sale/T0000001/000001/000042\">"}"#,
        ] {
            assert_eq!(first_key(board), key);
        }
        assert_eq!(first_key("{}"), None);
    }
}
