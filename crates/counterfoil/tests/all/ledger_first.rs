//! No page is ahead of the ledger: each hop in turn stands still while a sale runs, and whatever any page says meanwhile must
//! be proved by the journals on disk: its own party's, the acquirer's, and the issuer's where money is spoken of.

use crate::shop::{MERCHANT, Shop, TILL, between, heading, silence};
use counterfoil::fault::Direction::{Back, Forth};
use counterfoil::fault::{Direction, Hop};
use counterfoil::{archive, fleet, journal, view};
use payment::terminal::Request;
use payment::verdict::{self, Outcome, Owner, Position};
use payment::{Amount, Stan, Wall};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};
use terminal::Ending;

/// Longer than every time-out of the demo's ladder.
const STANDS_STILL: Duration = Duration::from_millis(3_500);
/// How long a loop may take to close afterwards.
const HEALS_WITHIN: Duration = Duration::from_secs(60);

/// A hop of the shop's loop.
type Where = fn(&Shop) -> &Hop;

/// What stands still: the request or the answer of each hop. The issuer is the side that connects to the network.
const STOPS: [(&str, Where, Direction); 6] = [
    ("the till's request", |shop| shop.pages.till_hop(), Forth),
    ("the acquirer's request", |shop| &shop.world.upstream, Forth),
    ("the network's request", |shop| &shop.world.bank, Back),
    ("the issuer's answer", |shop| &shop.world.bank, Forth),
    ("the network's answer", |shop| &shop.world.upstream, Back),
    ("the acquirer's answer", |shop| shop.pages.till_hop(), Back),
];

#[test]
fn no_page_is_ahead_of_the_ledger_while_a_hop_stands_still() {
    let shop = Shop::open();
    for (n, (stop, hop, direction)) in STOPS.into_iter().enumerate() {
        let amount_minor = 2_001 + n as u64;
        let mut seen = BTreeSet::new();
        hop(&shop).plan(silence(None, direction));
        let trace = shop.swipe(&format!("20.{:02}", n + 1));
        let began = Instant::now();
        while began.elapsed() < STANDS_STILL {
            look(&shop, stop, trace, amount_minor, &mut seen);
        }
        hop(&shop).heal();
        let healing = Instant::now();
        while !is_over(&shop, trace) {
            assert!(healing.elapsed() < HEALS_WITHIN, "{stop}: still open");
            look(&shop, stop, trace, amount_minor, &mut seen);
        }
        look(&shop, stop, trace, amount_minor, &mut seen);
        assert!(
            seen.len() >= 2,
            "{stop}: nothing was seen to change: {seen:?}"
        );
    }
}

/// The till has a result, and nobody owes a step.
fn is_over(shop: &Shop, trace: u32) -> bool {
    let ended = Disk::read(shop, trace, 0).till.contains(&"ended");
    let acquirer = shop.sale(trace);
    ended
        && acquirer.is_none_or(|sale| {
            verdict::row(&sale.row).is_some_and(|row| row.owner == Owner::Nobody)
        })
}

/// Reads every page, then what is on disk: what the pages said must have been proved by then.
fn look(shop: &Shop, stop: &str, trace: u32, amount_minor: u64, seen: &mut BTreeSet<String>) {
    let told = everybody(shop, trace);
    let disk = Disk::read(shop, trace, amount_minor);
    for (place, headline) in told {
        let proved = disk.proves(shop, place, &headline, amount_minor);
        proved
            .unwrap_or_else(|why| panic!("{stop}: {place} says {headline}, but {why}: {disk:#?}"));
        seen.insert(headline);
    }
}

/// What every page says of the sale, in zh-CN; each carries the age of its data.
fn everybody(shop: &Shop, trace: u32) -> Vec<(&'static str, String)> {
    let mut told = Vec::new();
    let till = aged(
        shop.page(&shop.till(&format!("/?trace={trace}&lang=zh-CN"))),
        "as-of",
    );
    told.push(("till", heading(&till, "<main")));
    let Some(sale) = shop.sale(trace) else {
        return told;
    };
    told.push(("control port", sale.headline.0.clone()));
    let key = &sale.key;
    let id = key.replace('/', "-");
    let console = aged(
        shop.page(&shop.desk(&format!("/console/sale/{key}?lang=zh-CN"))),
        "as-of",
    );
    told.push(("console", heading(&console, "class=\"salehead\"")));
    let board = aged(shop.page(&shop.desk("/console?lang=zh-CN")), "as-of");
    let row = between(&board, &format!("/console/sale/{key}"), "</li>");
    told.push((
        "board",
        between(row, "because second\">", "</span>").to_owned(),
    ));
    let merchant = format!("/merchant/sale/{key}?merchant={MERCHANT}&lang=zh-CN");
    let merchant = aged(shop.page(&shop.desk(&merchant)), "as-of");
    told.push(("merchant", heading(&merchant, "<main")));
    let api = shop.json(&shop.desk(&format!("/api/v1/sales/{id}")));
    assert!(api["as_of"].is_string(), "{api}");
    told.push((
        "API",
        api["headline"][0].as_str().expect("words").to_owned(),
    ));
    let list = shop.json(&shop.desk("/api/v1/sales"));
    assert!(list["as_of"].is_string(), "{list}");
    let rows = list["items"].as_array().expect("sales");
    let row = rows.iter().find(|row| row["id"] == id.as_str());
    let listed = row.map(|row| row["headline"]["zh-CN"].as_str().expect("words").to_owned());
    told.extend(listed.map(|listed| ("API's list", listed)));
    if let Some(link) = &sale.link {
        let answer = shop.get(&shop.public(&format!("/r/{link}?lang=zh-CN")));
        // The archive, by which links are found, is behind the ledger, never before it.
        if answer.status == 200 {
            let page = aged(answer.text, "age");
            told.push(("cardholder", heading(&page, "id=\"now\"")));
        }
    }
    told.retain(|(place, headline)| *place != "board" || !headline.is_empty());
    told
}

/// The page, which carries the time of its data in China: now, or what was now a moment ago.
#[track_caller]
fn aged(page: String, id: &str) -> String {
    let age = between(&page, &format!("id=\"{id}\">"), "</p>");
    let clock = age
        .find(':')
        .and_then(|at| age.get(at - 2..at + 6))
        .expect("a time of day");
    let seconds = |clock: &str| {
        let parts = clock
            .split(':')
            .map(|part| part.parse::<i64>().expect("a number"));
        parts.fold(0, |sum, part| sum * 60 + part)
    };
    let since = SystemTime::UNIX_EPOCH.elapsed().expect("a clock");
    let now = Wall(since.as_millis() as i64).text();
    let behind = seconds(&now[11..19]) - seconds(clock);
    let behind = behind.rem_euclid(86_400);
    assert!(behind <= 10, "data of {clock} at {now}");
    page
}

/// What the journals prove of one sale.
#[derive(Debug)]
struct Disk {
    /// Every sentence that the acquirer's records have stood for so far.
    acquirer: BTreeSet<String>,
    /// What the till has written of it.
    till: BTreeSet<&'static str>,
    /// The issuer has debited.
    debited: bool,
    /// The issuer has taken it back, or has barred what it never saw.
    taken_back: bool,
}

impl Disk {
    fn read(shop: &Shop, trace: u32, amount_minor: u64) -> Self {
        let mut disk = Self {
            acquirer: BTreeSet::new(),
            till: BTreeSet::new(),
            debited: false,
            taken_back: false,
        };
        let reference = format!("{TILL}/{trace}");
        let mut state = acquirer::State::default();
        for gathering in records::<acquirer::Record>(shop, "acquirer") {
            gathering.iter().for_each(|record| state.apply(record));
            let sale = view::find(&state, &reference);
            let sentence = sale.map(|sale| view::of(sale, Wall(0)).headline.0);
            disk.acquirer.extend(sentence);
        }
        disk.read_issuer(shop, Amount::fen(amount_minor));
        disk.read_till(shop, Stan(trace));
        disk
    }

    fn read_issuer(&mut self, shop: &Shop, amount: Amount) {
        for record in records::<issuer::Record>(shop, "issuer")
            .into_iter()
            .flatten()
        {
            match record {
                issuer::Record::Answered(answered) if answered.sale.amount == amount => {
                    self.debited |= !answered.entries.is_empty();
                }
                issuer::Record::Returned(returned) if returned.reversal.sale.amount == amount => {
                    self.taken_back |= returned.effective || returned.barred;
                }
                _ => {}
            }
        }
    }

    /// From the request of this trace number on, what the open sale goes through is its own.
    fn read_till(&mut self, shop: &Shop, stan: Stan) {
        use terminal::Record;
        let journal = format!("terminal-{TILL}");
        let mut own = false;
        for fleet::Record { record, .. } in records(shop, &journal).into_iter().flatten() {
            if let Record::Asked {
                request: Request::Financial { sale, .. },
                ..
            } = &record
            {
                own |= sale.key.stan == stan;
            }
            let what = match record {
                _ if !own => continue,
                Record::Asked { .. } => "asked",
                Record::Following { .. } | Record::ReversalPending { .. } => "reversing",
                Record::AskGoods { .. } => "goods asked",
                Record::Ended { ending, .. } => {
                    self.till.insert("ended");
                    match ending {
                        Ending::Approved(_) => "approved",
                        Ending::Declined(_) => "declined",
                        Ending::NotSent => "not sent",
                        Ending::Reversed { .. } => "reversed",
                        Ending::Case => "case",
                        Ending::Replaced => "replaced",
                    }
                }
                _ => continue,
            };
            self.till.insert(what);
        }
    }

    /// Why a place could not say so yet.
    fn proves(
        &self,
        shop: &Shop,
        place: &str,
        headline: &str,
        amount_minor: u64,
    ) -> Result<(), &'static str> {
        let on_disk = |wanted: bool, why| if wanted { Ok(()) } else { Err(why) };
        if place == "till" && headline.starts_with("没有连上主机") {
            return on_disk(self.till.contains("not sent"), "the till has not given up");
        }
        let sale = verdict::Family::Sale;
        let row = verdict::ROWS
            .iter()
            .find(|row| row.headline.0 == headline && row.families.contains(&sale));
        let row = row.ok_or("no row of the table says so")?;
        if place == "till" {
            let written = match (row.outcome, row.owner) {
                (Outcome::Unknown, _) => "asked",
                (Outcome::Reversing, _) => "reversing",
                (Outcome::Reversed, _) => "reversed",
                (Outcome::Approved, Owner::Terminal) => "goods asked",
                (Outcome::Approved, _) => "approved",
                (Outcome::Declined, _) => "declined",
                (Outcome::ReversalRefused, _) => "case",
            };
            on_disk(self.till.contains(written), "the till's journal does not")?;
        } else {
            on_disk(
                self.acquirer.contains(headline),
                "the acquirer's journal does not",
            )?;
            if matches!(row.id, "paid" | "recovered") {
                let amount = Amount::fen(amount_minor).to_string().replace('¥', "");
                let out = shop.papers().iter().any(|paper| paper.contains(&amount));
                on_disk(out, "no slip has come out")?;
            }
        }
        match (row.outcome, row.position) {
            (Outcome::Approved, _) => on_disk(self.debited, "the issuer's books do not"),
            (Outcome::Reversed, Position::Returned) => on_disk(
                self.debited && self.taken_back,
                "the issuer has not given back",
            ),
            (Outcome::Reversed, _) => on_disk(!self.debited, "the issuer has debited"),
            (Outcome::Declined, _) => on_disk(!self.debited, "the issuer has debited"),
            _ => Ok(()),
        }
    }
}

/// Every gathering of a party's journal.
fn records<R: DeserializeOwned>(shop: &Shop, party: &str) -> Vec<Vec<R>> {
    let path = archive::journal_path(&shop.data(party));
    let rows = journal::read(&path).expect("a journal");
    let rows = rows.map(|row| row.and_then(|row| row.records(&path)).expect("a row"));
    rows.collect()
}
