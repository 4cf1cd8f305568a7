//! What the wallet keeps on disk: accounts, codes, orders, refunds, nonces, and double entry over all of it.
//!
//! Every change is one transaction with full synchronisation, and every amount that moves is one entry, debit and credit.

use crate::driver::random;
use crate::wallet::NUMBER_MAX;
use crate::wallet::sandbox::{State, Why, Words};
use crate::wallet::signing::{Refused, WINDOW_MS};
use payment::Wall;
use payment::money::AMOUNT_MINOR_MAX;
use payment::payment_code::Brand;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use serde::Deserialize;
use std::fmt;
use std::path::Path;

/// How long a payment code works, in milliseconds.
pub const CODE_LIFE_MS: i64 = 60_000;
/// Nonces remembered at once; beyond it requests are refused until old ones have left the window.
const NONCES_MAX: i64 = 1_000_000;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS account(name TEXT PRIMARY KEY, place INTEGER NOT NULL, brand INTEGER NOT NULL, zh TEXT NOT NULL,
        en TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS entry(id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, number TEXT, debit TEXT NOT NULL,
        credit TEXT NOT NULL, amount_minor INTEGER NOT NULL CHECK(amount_minor > 0), CHECK(debit <> credit));
    CREATE INDEX IF NOT EXISTS entry_number ON entry(number);
    CREATE TABLE IF NOT EXISTS code(code TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES account, made_ms INTEGER NOT NULL,
        used_by TEXT) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS placed(id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, merchant TEXT NOT NULL,
        amount_minor INTEGER NOT NULL, shown INTEGER NOT NULL, state TEXT NOT NULL, payer TEXT REFERENCES account, why TEXT,
        voucher TEXT, at_ms INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS refund(number TEXT NOT NULL, refund INTEGER NOT NULL, amount_minor INTEGER NOT NULL,
        PRIMARY KEY(number, refund)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS nonce(nonce TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS nonce_at ON nonce(at_ms);";

/// The accounts of the first start: name, brand, words and opening balance in fen.
const ACCOUNTS: [(&str, Brand, &str, &str, i64); 3] = [
    ("li", Brand::WeChatPay, "李雷", "Li Lei", 5_000_000),
    ("han", Brand::Alipay, "韩梅梅", "Han Meimei", 5_000_000),
    ("poor", Brand::UnionPay, "孔乙己", "Kong Yiji", 100),
];
/// Where opening balances come from.
const TREASURY: &str = "treasury";

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name in addresses.
    pub name: String,
    /// Its owner, zh-CN and en.
    pub words: (String, String),
    /// Whose codes it shows.
    pub brand: Brand,
    /// In fen.
    pub balance_minor: i64,
}

/// An order as the wallet keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its number.
    pub number: String,
    /// Whose sale it is.
    pub merchant: String,
    /// In fen.
    pub amount_minor: i64,
    /// It is paid by scanning, not with a code.
    pub shown: bool,
    /// `shown`, `user-paying`, `paid`, `closed`, `declined` or `revoked`.
    pub state: String,
    /// The account that pays or paid.
    pub payer: Option<String>,
    /// Taken from the payer and not given back, in fen.
    pub net_minor: i64,
    why: Option<String>,
    voucher: Option<String>,
}

/// What the books disagree about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditError(pub String);

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AuditError {}

/// A request, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    number: String,
    what: What,
    bill: Bill,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Order,
    Pay,
    Poll,
    Close,
    Revoke,
    Refund(u8),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Bill {
    merchant: String,
    amount_minor: i64,
    currency: u16,
    code: String,
}

/// What a request is judged by, besides the books.
pub(super) struct Terms<'a> {
    pub(super) now_ms: i64,
    pub(super) password_above_minor: i64,
    pub(super) base: &'a str,
}

impl Request {
    /// Reads method, path and body; none for what is no request.
    pub(super) fn read(method: &str, path: &str, body: &[u8]) -> Option<Self> {
        let mut parts = path.strip_prefix("/v1/orders/")?.split('/');
        let number = parts.next()?;
        let tail = [parts.next(), parts.next(), parts.next()];
        let what = match (method, tail) {
            ("POST", [None, ..]) => What::Order,
            ("GET", [None, ..]) => What::Poll,
            ("POST", [Some("pay"), None, _]) => What::Pay,
            ("POST", [Some("close"), None, _]) => What::Close,
            ("POST", [Some("revoke"), None, _]) => What::Revoke,
            ("POST", [Some("refunds"), Some(refund), None]) => What::Refund(refund.parse().ok()?),
            _ => return None,
        };
        let bill: Bill = match what {
            What::Poll => Bill::default(),
            _ => serde_json::from_slice(body).ok()?,
        };
        let plain = number.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let sane = plain && !number.is_empty() && number.len() <= NUMBER_MAX;
        let counted =
            what == What::Poll || (1..=AMOUNT_MINOR_MAX as i64).contains(&bill.amount_minor);
        let in_yuan = matches!(what, What::Poll | What::Refund(_)) || bill.currency == 156;
        (sane && counted && in_yuan).then(|| Self {
            number: number.to_owned(),
            what,
            bill,
        })
    }

    /// It may take money at once.
    pub(super) fn pays(&self) -> bool {
        self.what == What::Pay
    }
}

/// The books.
#[derive(Debug)]
pub(super) struct Books(Connection);

type Sql<T> = rusqlite::Result<T>;

impl Books {
    pub(super) fn open(data: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(data).map_err(|error| format!("{}: {error}", data.display()))?;
        let path = data.join("wallet.db");
        let opened = || {
            let mut connection = Connection::open(&path)?;
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute_batch(SCHEMA)?;
            first_start(&mut connection)?;
            Ok(Self(connection))
        };
        opened().map_err(|error: rusqlite::Error| format!("{}: {error}", path.display()))
    }

    /// Does what is asked, once: request and nonce are one transaction.
    pub(super) fn perform(
        &mut self,
        nonce: &str,
        request: Option<&Request>,
        terms: &Terms<'_>,
    ) -> Sql<Result<Words, Refused>> {
        let transaction = self.begin()?;
        if let Err(refused) = take_nonce(&transaction, nonce, terms.now_ms)? {
            return Ok(Err(refused));
        }
        let done = match request {
            Some(request) => perform(&transaction, request, terms)?,
            None => Err(Refused::Malformed),
        };
        transaction.commit()?;
        Ok(done)
    }

    pub(super) fn new_code(&mut self, account: &str, now_ms: i64) -> Sql<Option<String>> {
        let transaction = self.begin()?;
        let Some(brand) = brand_of(&transaction, account)? else {
            return Ok(None);
        };
        let (prefix, digits) = brand.shape();
        let drawn = random()[..16].try_into().map(u128::from_be_bytes);
        let tail = drawn.unwrap_or_default() % 10_u128.pow(digits as u32 - 2);
        let code = format!("{prefix:02}{tail:00$}", digits - 2);
        transaction.execute(
            "INSERT INTO code VALUES(?1, ?2, ?3, NULL)",
            params![code, account, now_ms],
        )?;
        transaction.commit()?;
        Ok(Some(code))
    }

    pub(super) fn confirm(
        &mut self,
        number: &str,
        account: Option<&str>,
        now_ms: i64,
    ) -> Sql<bool> {
        let transaction = self.begin()?;
        let Some(order) = find(&transaction, number)? else {
            return Ok(false);
        };
        let payer = match (order.state.as_str(), order.payer.as_deref(), account) {
            ("user-paying", Some(payer), _) | ("shown", None, Some(payer)) => payer.to_owned(),
            _ => return Ok(false),
        };
        if brand_of(&transaction, &payer)?.is_none() {
            return Ok(false);
        }
        pay(&transaction, &order, &payer, now_ms)?;
        transaction.commit()?;
        Ok(true)
    }

    pub(super) fn refuse(&mut self, number: &str, now_ms: i64) -> Sql<bool> {
        let transaction = self.begin()?;
        let asked = find(&transaction, number)?.filter(|order| order.state == "user-paying");
        if asked.is_some() {
            set_state(&transaction, number, "declined", Some("payer"), now_ms)?;
        }
        transaction.commit()?;
        Ok(asked.is_some())
    }

    pub(super) fn accounts(&self) -> Sql<Vec<Account>> {
        let mut query = self.0.prepare_cached(
            "SELECT name, zh, en, brand,
                (SELECT coalesce(sum(amount_minor), 0) FROM entry WHERE credit = name)
                - (SELECT coalesce(sum(amount_minor), 0) FROM entry WHERE debit = name)
             FROM account ORDER BY place",
        )?;
        let rows = query.query_map([], |row| {
            let place: i64 = row.get(3)?;
            Ok(Account {
                name: row.get(0)?,
                words: (row.get(1)?, row.get(2)?),
                brand: brand_at(place),
                balance_minor: row.get(4)?,
            })
        })?;
        rows.collect()
    }

    pub(super) fn orders(&self, count: u32) -> Sql<Vec<Placed>> {
        let query = format!("{PLACED} ORDER BY id DESC LIMIT ?1");
        let mut query = self.0.prepare_cached(&query)?;
        query.query_map([count], placed)?.collect()
    }

    pub(super) fn placed(&self, number: &str) -> Sql<Option<Placed>> {
        find(&self.0, number)
    }

    /// A paid order holds its amount less its refunds, any other nothing; nobody owes the wallet.
    pub(super) fn audit(&self) -> Result<(), AuditError> {
        let look = || {
            let mut query = self.0.prepare(PLACED)?;
            let orders: Vec<Placed> = query.query_map([], placed)?.collect::<Sql<_>>()?;
            let mut refunds = self
                .0
                .prepare("SELECT coalesce(sum(amount_minor), 0) FROM refund WHERE number = ?1")?;
            for order in orders {
                let refunded: i64 = refunds.query_row([&order.number], |row| row.get(0))?;
                let expected = match order.state.as_str() {
                    "paid" => order.amount_minor - refunded,
                    _ => 0,
                };
                if order.net_minor != expected {
                    let Placed {
                        number, net_minor, ..
                    } = order;
                    return Ok(Some(format!("{number}: {net_minor} fen, not {expected}")));
                }
            }
            let owing = self.accounts()?.into_iter().find(|a| a.balance_minor < 0);
            Ok(owing.map(|account| format!("{} owes the wallet", account.name)))
        };
        match look() {
            Ok(None) => Ok(()),
            Ok(Some(what)) => Err(AuditError(what)),
            Err(error) => Err(AuditError(rusqlite::Error::to_string(&error))),
        }
    }

    fn begin(&mut self) -> Sql<Transaction<'_>> {
        self.0
            .transaction_with_behavior(TransactionBehavior::Immediate)
    }
}

fn first_start(connection: &mut Connection) -> Sql<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (place, (name, brand, zh, en, minor)) in ACCOUNTS.into_iter().enumerate() {
        let number = Brand::ALL.iter().position(|other| *other == brand);
        let (place, number) = (place as i64, number.map(|number| number as i64));
        let new = transaction.execute(
            "INSERT OR IGNORE INTO account VALUES(?1, ?2, ?3, ?4, ?5)",
            params![name, place, number, zh, en],
        )?;
        if new > 0 {
            move_money(&transaction, None, (TREASURY, name), minor, 0)?;
        }
    }
    transaction.commit()
}

fn move_money(
    books: &Connection,
    number: Option<&str>,
    (debit, credit): (&str, &str),
    minor: i64,
    now_ms: i64,
) -> Sql<()> {
    books
        .prepare_cached(
            "INSERT INTO entry(at_ms, number, debit, credit, amount_minor) VALUES(?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![now_ms, number, debit, credit, minor])
        .map(drop)
}

/// A nonce is taken once while its timestamp is within the window of the clocks, on either side.
fn take_nonce(books: &Connection, nonce: &str, now_ms: i64) -> Sql<Result<(), Refused>> {
    books.execute(
        "DELETE FROM nonce WHERE at_ms < ?1",
        [now_ms - 2 * WINDOW_MS],
    )?;
    let held: i64 = books.query_row("SELECT count(*) FROM nonce", [], |row| row.get(0))?;
    if held >= NONCES_MAX {
        return Ok(Err(Refused::Busy));
    }
    let new = books.execute(
        "INSERT OR IGNORE INTO nonce VALUES(?1, ?2)",
        params![nonce, now_ms],
    )?;
    Ok(if new == 1 {
        Ok(())
    } else {
        Err(Refused::NonceReused)
    })
}

fn perform(
    books: &Connection,
    request: &Request,
    terms: &Terms<'_>,
) -> Sql<Result<Words, Refused>> {
    let (number, bill) = (request.number.as_str(), &request.bill);
    let known = find(books, number)?;
    let makes = matches!(request.what, What::Order | What::Pay);
    let contradicts = |order: &Placed| {
        let other = (order.amount_minor, &order.merchant) != (bill.amount_minor, &bill.merchant);
        let other_way = order.shown == (request.what == What::Pay);
        let undone = matches!(order.state.as_str(), "closed" | "revoked");
        makes && (other || other_way && !undone)
    };
    if known.as_ref().is_some_and(contradicts) {
        return Ok(Err(Refused::Malformed));
    }
    match (&request.what, known) {
        (What::Order, None) => place(books, request, "shown", true, terms.now_ms)?,
        (What::Pay, None) => pay_with_code(books, request, terms)?,
        (What::Close, None) => place(books, request, "closed", true, terms.now_ms)?,
        (What::Revoke, None) => place(books, request, "revoked", false, terms.now_ms)?,
        (What::Close, Some(order)) if is_open(&order) => {
            set_state(books, number, "closed", None, terms.now_ms)?;
        }
        (What::Revoke, Some(order)) if is_open(&order) || order.state == "paid" => {
            give_back(books, &order, order.net_minor, terms.now_ms)?;
            set_state(books, number, "revoked", None, terms.now_ms)?;
        }
        (What::Refund(refund), Some(order)) => {
            return refunded(books, &order, *refund, bill.amount_minor, terms.now_ms).map(Ok);
        }
        _ => {}
    }
    let shows = request.what == What::Order;
    Ok(Ok(match find(books, number)? {
        Some(order) => words(&order, shows.then_some(terms.base)),
        None => plain(number, State::NoSuchOrder),
    }))
}

/// A single use of a code that is not too old. A refused payment makes an order too, so that its repetition is refused as well.
fn pay_with_code(books: &Connection, request: &Request, terms: &Terms<'_>) -> Sql<()> {
    let (number, bill) = (request.number.as_str(), &request.bill);
    let query = "SELECT account FROM code WHERE code = ?1 AND used_by IS NULL AND made_ms > ?2";
    let oldest = terms.now_ms - CODE_LIFE_MS;
    let account = books.query_row(query, params![bill.code, oldest], |row| row.get(0));
    let account: Option<String> = account.optional()?;
    let Some(account) = account else {
        place(books, request, "declined", false, terms.now_ms)?;
        return set_state(books, number, "declined", Some("code"), terms.now_ms);
    };
    let used = "UPDATE code SET used_by = ?1 WHERE code = ?2";
    books.execute(used, params![number, bill.code])?;
    place(books, request, "user-paying", false, terms.now_ms)?;
    let payer = "UPDATE placed SET payer = ?1 WHERE number = ?2";
    books.execute(payer, params![account, number])?;
    let order = find(books, number)?.expect("it was placed just now");
    if bill.amount_minor <= terms.password_above_minor {
        pay(books, &order, &account, terms.now_ms)?;
    }
    Ok(())
}

fn pay(books: &Connection, order: &Placed, payer: &str, now_ms: i64) -> Sql<()> {
    let balance = "SELECT
        (SELECT coalesce(sum(amount_minor), 0) FROM entry WHERE credit = ?1)
        - (SELECT coalesce(sum(amount_minor), 0) FROM entry WHERE debit = ?1)";
    let balance: i64 = books.query_row(balance, [payer], |row| row.get(0))?;
    let set_payer = "UPDATE placed SET payer = ?1 WHERE number = ?2";
    books.execute(set_payer, params![payer, order.number])?;
    if balance < order.amount_minor {
        return set_state(books, &order.number, "declined", Some("funds"), now_ms);
    }
    let to = merchant_account(&order.merchant);
    let minor = order.amount_minor;
    move_money(books, Some(&order.number), (payer, &to), minor, now_ms)?;
    let voucher = "UPDATE placed SET voucher = ?1 || printf('%012d', id) WHERE number = ?2";
    let day = Wall(now_ms).local().date().to_string().replace('-', "");
    books.execute(voucher, params![day, order.number])?;
    set_state(books, &order.number, "paid", None, now_ms)
}

fn give_back(books: &Connection, order: &Placed, minor: i64, now_ms: i64) -> Sql<()> {
    let Some(payer) = order.payer.as_deref().filter(|_| minor > 0) else {
        return Ok(());
    };
    let from = merchant_account(&order.merchant);
    move_money(books, Some(&order.number), (&from, payer), minor, now_ms)
}

/// A refund of a number that was here is what it was; a new one must fit into what is left.
fn refunded(books: &Connection, order: &Placed, refund: u8, minor: i64, now_ms: i64) -> Sql<Words> {
    let query = "SELECT amount_minor FROM refund WHERE number = ?1 AND refund = ?2";
    let earlier = books.query_row(query, params![order.number, refund], |row| row.get(0));
    let earlier: Option<i64> = earlier.optional()?;
    let fits = order.state == "paid" && minor <= order.net_minor;
    let done = earlier.map_or(fits, |amount| amount == minor);
    if done && earlier.is_none() {
        give_back(books, order, minor, now_ms)?;
        let insert = "INSERT INTO refund VALUES(?1, ?2, ?3)";
        books.execute(insert, params![order.number, refund, minor])?;
    }
    let state = if done {
        State::Refunded
    } else {
        State::RefundRefused
    };
    Ok(Words {
        refund: Some(refund),
        ..plain(&order.number, state)
    })
}

fn place(books: &Connection, request: &Request, state: &str, shown: bool, now_ms: i64) -> Sql<()> {
    let Request { number, bill, .. } = request;
    books
        .execute(
            "INSERT INTO placed(number, merchant, amount_minor, shown, state, at_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
            params![number, bill.merchant, bill.amount_minor, shown, state, now_ms],
        )
        .map(drop)
}

fn set_state(
    books: &Connection,
    number: &str,
    state: &str,
    why: Option<&str>,
    now_ms: i64,
) -> Sql<()> {
    let update = "UPDATE placed SET state = ?2, why = ?3, at_ms = ?4 WHERE number = ?1";
    books
        .execute(update, params![number, state, why, now_ms])
        .map(drop)
}

const PLACED: &str = "SELECT number, merchant, amount_minor, shown, state, payer, why, voucher,
    (SELECT coalesce(sum(CASE WHEN debit = p.payer THEN amount_minor ELSE -amount_minor END), 0)
        FROM entry e WHERE e.number = p.number)
    FROM placed p";

fn find(books: &Connection, number: &str) -> Sql<Option<Placed>> {
    let query = format!("{PLACED} WHERE p.number = ?1");
    books
        .prepare_cached(&query)?
        .query_row([number], placed)
        .optional()
}

fn placed(row: &rusqlite::Row<'_>) -> Sql<Placed> {
    Ok(Placed {
        number: row.get(0)?,
        merchant: row.get(1)?,
        amount_minor: row.get(2)?,
        shown: row.get(3)?,
        state: row.get(4)?,
        payer: row.get(5)?,
        why: row.get(6)?,
        voucher: row.get(7)?,
        net_minor: row.get(8)?,
    })
}

fn brand_of(books: &Connection, account: &str) -> Sql<Option<Brand>> {
    let query = "SELECT brand FROM account WHERE name = ?1";
    let place = books.query_row(query, [account], |row| row.get(0));
    Ok(place.optional()?.map(brand_at))
}

fn brand_at(place: i64) -> Brand {
    Brand::ALL[place.rem_euclid(Brand::ALL.len() as i64) as usize]
}

fn is_open(order: &Placed) -> bool {
    matches!(order.state.as_str(), "shown" | "user-paying")
}

fn merchant_account(merchant: &str) -> String {
    format!("merchant {merchant}")
}

fn plain(number: &str, state: State) -> Words {
    Words {
        number: number.to_owned(),
        state,
        qr: None,
        amount_minor: None,
        voucher: None,
        why: None,
        gave_back: None,
        refund: None,
    }
}

/// How an order stands; whoever made it gets its QR code, at `base`.
fn words(order: &Placed, base: Option<&str>) -> Words {
    let state = match order.state.as_str() {
        "shown" if base.is_some() => State::Shown,
        "shown" => State::Unpaid,
        "user-paying" => State::UserPaying,
        "paid" => State::Paid,
        "declined" => State::Declined,
        "revoked" => State::Revoked,
        _ => State::Closed,
    };
    let paid = state == State::Paid;
    Words {
        qr: base
            .filter(|_| state == State::Shown)
            .map(|base| format!("{base}/q/{}", order.number)),
        amount_minor: u64::try_from(order.amount_minor).ok().filter(|_| paid),
        voucher: order.voucher.clone().filter(|_| paid),
        why: (state == State::Declined).then_some(match order.why.as_deref() {
            Some("code") => Why::Code,
            Some("funds") => Why::Funds,
            Some("payer") => Why::Payer,
            _ => Why::Other,
        }),
        // A voucher stays with an order that was paid once.
        gave_back: (state == State::Revoked).then_some(order.voucher.is_some()),
        ..plain(&order.number, state)
    }
}
