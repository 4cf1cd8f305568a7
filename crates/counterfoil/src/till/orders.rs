//! What forms order: each is admitted first, given once, and answered by the way back to the page.

use super::counter::{self, Refusal, kind_named, named_original};
use super::doctor::TillDoctor;
use super::visitor::{self, Stranger, Visitor};
use super::{Page, Shared, TRAINEES_MAX, Trainee};
use crate::driver::random;
use crate::web::Language;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use pages::Lang;
use pages::till::drill::{Answer, Deal, Drill, Score};
use pages::till::{self, found::Slip};
use payment::kind::Rail;
use payment::{Amount, Kind, Stan};
use receipt::doctor::Symptom;
use receipt::{PaperSeen, Search};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;
use terminal::kernel::Interface;
use terminal::{Command, Named};

/// Showings of the page whose order is remembered; older ones are refused by their age, not repeated.
pub const ONCE_MAX: usize = 256;
/// Characters of a search.
pub(super) const SOUGHT_MAX: usize = 40;

/// The orders that were given, by the showing of the page that they came from, with the sale that came of each.
#[derive(Debug, Default)]
pub(super) struct Once(VecDeque<(String, Option<Stan>)>);

impl Once {
    fn given(&self, once: &str) -> Option<Option<Stan>> {
        let found = self.0.iter().find(|(known, _)| known == once);
        found.map(|(_, stan)| *stan)
    }

    fn keep(&mut self, once: String, stan: Option<Stan>) {
        self.0.push_back((once, stan));
        if self.0.len() > ONCE_MAX {
            self.0.pop_front();
        }
    }
}

/// The fields of a form.
type Fields = BTreeMap<String, String>;
type Answered = Result<Response, Response>;

/// A field that is there and not empty.
fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let value = fields.get(name).map(|value| value.trim());
    value.filter(|value| !value.is_empty())
}

/// A name that this till made for a showing of a page.
pub(super) fn is_name(once: &str) -> bool {
    once.len() == 32 && once.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn back(to: &str) -> Response {
    Redirect::to(to).into_response()
}

impl Page {
    fn admit(&self, headers: &HeaderMap, fields: &Fields) -> Result<Visitor, Stranger> {
        let visitor = Visitor::of(headers);
        let token = field(fields, "csrf").unwrap_or_default();
        visitor.admit(headers, &self.key, token)?;
        Ok(visitor)
    }

    /// What a refused order is told stands on the page.
    fn tell(&self, Refusal(zh, en): Refusal) {
        self.desk().told = Some((Instant::now(), (zh, en)));
    }

    /// Gives an order that may move money, once for each showing of the page, and says which sale came of it.
    async fn give(
        &self,
        fields: &Fields,
        order: impl AsyncFnOnce() -> Result<(), Refusal>,
    ) -> Response {
        let Some(once) = field(fields, "once").filter(|once| is_name(once)) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        let mut turn = self.turn.lock().await;
        if let Some(given) = turn.given(once) {
            return back(
                &given.map_or_else(|| "/".to_owned(), |stan| format!("/?trace={}", stan.0)),
            );
        }
        let before = self.newest().await;
        self.desk().told = None;
        let stan = match order().await {
            Ok(()) => self.newest().await.filter(|newest| Some(*newest) != before),
            Err(refusal) => {
                self.tell(refusal);
                None
            }
        };
        turn.keep(once.to_owned(), stan);
        if stan.is_some() {
            let mut desk = self.desk();
            desk.charged = stan;
            desk.waits = None;
        }
        back("/")
    }

    /// Trace number of the open sale, or of what was kept last.
    async fn newest(&self) -> Option<Stan> {
        let look = self.counter.look(|terminal, _| {
            let state = terminal.state();
            let open = state.open().map(|open| open.sale.key.stan);
            let reversing = state.reversal().map(|reversal| reversal.sale.key.stan);
            let ended = state
                .completed()
                .next_back()
                .map(|c| (c.at, c.sale.key.stan));
            let cash = state
                .cash()
                .next_back()
                .map(|cash| (cash.at, cash.key.stan));
            let last = ended.into_iter().chain(cash).max_by_key(|(at, _)| at.mono);
            open.or(reversing).or(last.map(|(_, stan)| stan))
        });
        look.await.ok().flatten()
    }

    async fn sell(&self, fields: &Fields) -> Result<(), Refusal> {
        let counter = &self.counter;
        let amount =
            || counter::amount(Kind::Purchase, field(fields, "amount").unwrap_or_default());
        let card = field(fields, "card");
        let code = field(fields, "code");
        match field(fields, "tender").unwrap_or("enter") {
            "insert" => counter.by_chip(Interface::Contact, amount()?, card).await,
            "tap" => {
                counter
                    .by_chip(Interface::Contactless, amount()?, card)
                    .await
            }
            "cash" => counter.press(Command::Cash {
                amount: amount()?,
                instead_of: None,
            }),
            "code" if code.is_none() => {
                counter
                    .transact(Kind::WalletOrder, Some(amount()?), None, None, None)
                    .await
            }
            "code" | "enter" if code.is_some() => {
                counter
                    .transact(Kind::WalletSale, Some(amount()?), None, code, None)
                    .await
            }
            "enter" | "swipe" => {
                counter
                    .transact(Kind::Purchase, Some(amount()?), None, card, None)
                    .await
            }
            "balance-inquiry" => {
                counter
                    .transact(Kind::BalanceInquiry, None, None, card, None)
                    .await
            }
            "pre-auth" => {
                counter
                    .transact(Kind::PreAuth, Some(amount()?), None, card, None)
                    .await
            }
            other => Err(Refusal(other.to_owned(), other.to_owned())),
        }
    }

    /// A kind of the whole list, by the fields of its form.
    async fn order(&self, fields: &Fields) -> Result<(), Refusal> {
        let unknown = ("没有这种交易", "There is no such kind");
        let kind = field(fields, "kind").and_then(kind_named);
        let kind = kind.ok_or_else(|| Refusal::from(unknown))?;
        let row = kind.row();
        let original = match (row.original, field(fields, "original")) {
            (None, _) => None,
            (Some(_), Some(named)) => Some(named_original(named)?),
            (Some(_), None) => {
                return Err(Refusal::from((
                    "请填写原交易的凭证号或参考号",
                    "Name the earlier transaction: trace number or reference",
                )));
            }
        };
        let amount = field(fields, "amount")
            .map(|text| counter::amount(kind, text))
            .transpose()?;
        let own = matches!(original, Some(Named::Own(_)));
        if amount.is_none() && row.moves_money() && !own {
            return Err(Refusal::from(("请填写金额", "Enter the amount")));
        }
        let to = match field(fields, "to").filter(|_| row.receiver) {
            Some(card) => Some(self.counter.receiving(card).await?),
            None if row.receiver => {
                return Err(Refusal::from(("请填写转入卡", "Name the receiving card")));
            }
            None => None,
        };
        let shown = match row.rail {
            Rail::Wallet => field(fields, "code"),
            Rail::Card => field(fields, "card"),
        };
        let amount = amount.filter(|_| row.moves_money());
        self.counter
            .transact(kind, amount, original, shown, to)
            .await
    }

    /// Slips in the spool by amount (`12.80`), last four digits (`*0005`), date (`2026-11-22`) or trace number.
    pub(super) async fn find(&self, sought: &str) -> Result<(Vec<Slip>, String), Refusal> {
        let search = searched(sought);
        let look = self.counter.look(move |terminal, now| {
            let state = terminal.state();
            let spool = state.spool();
            let words = |(zh, en): (&str, &str)| (zh.to_owned(), en.to_owned());
            let slips = search.map_or(Vec::new(), |search| spool.search(&search));
            let slips = slips.into_iter().map(|slip| {
                let known = spool.evidence(slip.slip_id);
                Slip {
                    trace: slip.voucher,
                    amount: Amount {
                        minor: slip.amount_minor,
                        currency: match slip.title.is_barter() {
                            true => payment::BARTER_UNIT,
                            false => payment::CNY,
                        },
                    }
                    .to_string(),
                    title: words(slip.title.words()),
                    state: known
                        .map_or_else(Default::default, |(job, level, _)| words(job.words(level))),
                    sale: state.completed().any(|c| c.sale.key.stan.0 == slip.voucher),
                    at: slip.date_time,
                    card: slip.masked_pan,
                }
            });
            (slips.collect(), now.wall.text())
        });
        look.await
    }
}

fn searched(sought: &str) -> Option<Search> {
    let mut search = Search::default();
    for word in sought.split_whitespace() {
        match word.strip_prefix('*') {
            Some(four) => search.last_four = Some(four.to_owned()),
            None if word.contains('-') => search.date = Some(word.to_owned()),
            None if word.contains('.') => {
                search.amount_minor = Some(Amount::parse_yuan(word)?.minor);
            }
            None => search.voucher = Some(word.parse().ok()?),
        }
    }
    (search != Search::default()).then_some(search)
}

/// A text as a query carries it.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// A key of the pad, on a page without script.
pub(super) async fn key(
    State(page): State<Shared>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Answered {
    page.admit(&headers, &fields)?;
    let typed = field(&fields, "amount").unwrap_or_default();
    let typed = Some(typed)
        .filter(|typed| till::is_amount(typed))
        .unwrap_or_default();
    let key = field(&fields, "key").unwrap_or_default();
    Ok(back(&format!("/?amount={}", till::typed(typed, key))))
}

pub(super) async fn charge(
    State(page): State<Shared>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Answered {
    page.admit(&headers, &fields)?;
    // Whoever swipes again waits no more, and is held back anew.
    page.desk().waits = None;
    Ok(page.give(&fields, async || page.sell(&fields).await).await)
}

pub(super) async fn cash(
    State(page): State<Shared>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Answered {
    page.admit(&headers, &fields)?;
    let order = async || {
        let amount = counter::amount(Kind::Purchase, field(&fields, "amount").unwrap_or_default())?;
        let earlier = page
            .counter
            .sale_named(field(&fields, "instead").unwrap_or_default())
            .await?;
        page.counter.press(Command::Cash {
            amount,
            instead_of: Some(earlier),
        })
    };
    Ok(page.give(&fields, order).await)
}

pub(super) async fn anyway(
    State(page): State<Shared>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Answered {
    page.admit(&headers, &fields)?;
    let order = async || {
        let named = field(&fields, "reason").unwrap_or_default();
        let reason = counter::charge_reasons().find(|reason| reason.name() == named);
        let reason = reason.ok_or_else(|| Refusal::from(("请选择原因", "Choose a reason")))?;
        page.counter.anyway(reason, field(&fields, "card")).await
    };
    Ok(page.give(&fields, order).await)
}

pub(super) async fn order(
    State(page): State<Shared>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Answered {
    page.admit(&headers, &fields)?;
    Ok(page.give(&fields, async || page.order(&fields).await).await)
}

/// A command that names no money: pressing it twice does what pressing it once does.
pub(super) async fn press(
    State(page): State<Shared>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Answered {
    page.admit(&headers, &fields)?;
    let about = field(&fields, "about");
    let stan = about.and_then(|about| about.parse().ok()).map(Stan);
    let order = field(&fields, "order").unwrap_or_default();
    if order == "wait" {
        page.desk().waits = about.map(str::to_owned);
        return Ok(back("/"));
    }
    let Some(command) = command(order, stan) else {
        return Err(StatusCode::BAD_REQUEST.into_response());
    };
    page.desk().told = None;
    if let Err(refusal) = page.counter.press(command) {
        page.tell(refusal);
    }
    Ok(back("/"))
}

fn command(order: &str, stan: Option<Stan>) -> Option<Command> {
    Some(match order {
        "flush" => Command::Flush,
        "withdraw" => Command::Withdraw,
        "yes" => Command::GoodsHandedOver(true),
        "no" => Command::GoodsHandedOver(false),
        "reprint" => Command::Reprint(stan),
        "eslip" => Command::ESlip(stan),
        "settle" => Command::Settle,
        "shift" => Command::CloseShift,
        "signon" => Command::SignOn,
        "signoff" => Command::SignOff,
        "echo" => Command::Echo,
        "printing-on" => Command::Printing(true),
        "printing-off" => Command::Printing(false),
        "resume" => Command::ResumePrinter,
        "clear" => Command::ClearPrinter,
        "complete" => Command::Paper(stan, PaperSeen::Complete),
        "blank" => Command::Paper(stan, PaperSeen::Blank),
        "partial" => Command::Paper(stan, PaperSeen::Partial),
        "nothing" => Command::Paper(stan, PaperSeen::Nothing),
        "none" => Command::Paper(stan, PaperSeen::NotNeeded),
        _ => return None,
    })
}

pub(super) async fn basket(
    State(page): State<Shared>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Answered {
    page.admit(&headers, &fields)?;
    let stock = &page.counter.file.stock;
    let unknown = ("没有这个条码的商品", "No such barcode here");
    let mut refused = None;
    {
        let mut desk = page.desk();
        desk.charged = None;
        desk.told = None;
        if let Some(barcode) = field(&fields, "add") {
            refused = (!desk.basket.add(stock, barcode)).then(|| Refusal::from(unknown));
        } else if let Some(barcode) = field(&fields, "less") {
            desk.basket.less(barcode);
        } else if field(&fields, "clear").is_some() {
            desk.basket.clear();
        }
    }
    if let Some(refusal) = refused {
        page.tell(refusal);
    }
    Ok(back("/"))
}

const fn language(lang: Lang) -> receipt::Language {
    match lang {
        Lang::Zh => receipt::Language::Zh,
        Lang::En => receipt::Language::En,
    }
}

/// The doctor's open step; opening the page begins no dialogue.
pub(super) async fn doctor_page(
    State(page): State<Shared>,
    Language(lang): Language,
    headers: HeaderMap,
) -> Response {
    let visitor = Visitor::of(&headers);
    let door = page.door(&visitor, visitor::once());
    let mut doctor = page.doctor.lock().await;
    let Some(open) = doctor.as_mut() else {
        return back("/");
    };
    if let Err(problem) = open.look().await {
        page.tell(Refusal(problem.clone(), problem));
        return back("/");
    }
    let Some(view) = open.view(language(lang)) else {
        return back("/");
    };
    let ticket = open.ticket().map(|ticket| ticket.text(language(lang)));
    visitor.greet(Html(till::doctor::page(
        lang,
        &view,
        ticket.as_deref(),
        &door,
    )))
}

/// Begins a dialogue with what the cashier sees, or answers the open step.
pub(super) async fn doctor(
    State(page): State<Shared>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Answered {
    page.admit(&headers, &fields)?;
    let mut doctor = page.doctor.lock().await;
    let done = match (field(&fields, "symptom"), doctor.as_mut()) {
        (Some(picture), _) => {
            let printer = page.counter.file.printer.as_ref();
            let printer = printer.map_or_else(String::new, ToString::to_string);
            let begun = TillDoctor::begin(page.counter.handle.clone(), printer, symptom(picture));
            begun.await.map(|begun| *doctor = Some(begun))
        }
        (None, Some(open)) => {
            let answer = field(&fields, "answer").unwrap_or_default();
            let text = match answer {
                "digits" => field(&fields, "digits").unwrap_or_default(),
                answer => answer,
            };
            match text {
                "look" => open.look().await,
                text => open.answer(text).await.map(|_| ()),
            }
        }
        (None, None) => return Ok(back("/")),
    };
    if let Err(problem) = done {
        page.tell(Refusal(problem.clone(), problem));
        return Ok(back("/"));
    }
    Ok(back("/doctor"))
}

/// What a picture of the strip complains of.
/// Whether there is no paper or it is stuck, the printer's own status tells better than who looks at it.
fn symptom(picture: &str) -> Option<Symptom> {
    match picture {
        "blank" => Some(Symptom::Blank),
        "offline" => Some(Symptom::Offline),
        _ => None,
    }
}

fn deal(last: Option<Deal>) -> Deal {
    let random = random();
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&random[..8]);
    Deal::of(u64::from_le_bytes(bytes), last)
}

impl Page {
    /// What somebody practises, a first fault for who is new.
    fn trainee(&self, visitor: &Visitor, change: impl FnOnce(&mut Trainee)) -> Trainee {
        let mut desk = self.desk();
        let place = desk.trainees.iter().position(|(id, _)| id == visitor.id());
        let mut trainee = match place.and_then(|place| desk.trainees.remove(place)) {
            Some((_, trainee)) => trainee,
            None => Trainee {
                deal: deal(None),
                answer: None,
                score: Score::default(),
            },
        };
        change(&mut trainee);
        desk.trainees.push_back((visitor.id().to_owned(), trainee));
        if desk.trainees.len() > TRAINEES_MAX {
            desk.trainees.pop_front();
        }
        trainee
    }
}

pub(super) async fn training_page(
    State(page): State<Shared>,
    Language(lang): Language,
    headers: HeaderMap,
) -> Response {
    let visitor = Visitor::of(&headers);
    let door = page.door(&visitor, visitor::once());
    let Trainee {
        deal,
        answer,
        score,
    } = page.trainee(&visitor, |_| {});
    let drill = Drill {
        deal,
        answer,
        score,
    };
    visitor.greet(Html(till::drill::page(lang, &drill, &door)))
}

/// Answers the dealt fault once, or deals the next. Nothing here knows the terminal.
pub(super) async fn training(
    State(page): State<Shared>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Answered {
    let visitor = page.admit(&headers, &fields)?;
    let named = |name| field(&fields, name).unwrap_or_default();
    let given = Answer::of(named("goods"), named("next"));
    page.trainee(&visitor, |trainee| match (given, trainee.answer) {
        (Some(given), None) => {
            trainee.score.points += trainee.deal.points(given);
            trainee.score.of += 2;
            trainee.answer = Some(given);
        }
        (None, Some(_)) => {
            trainee.deal = deal(Some(trainee.deal));
            trainee.answer = None;
        }
        _ => {}
    });
    Ok(back("/training"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_sought_by_what_a_cashier_reads() {
        let found = |text| searched(text).map(|s| (s.voucher, s.amount_minor, s.last_four, s.date));
        assert_eq!(found("218"), Some((Some(218), None, None, None)));
        assert_eq!(
            found("128.00 *0123 2026-11-22"),
            Some((
                None,
                Some(12_800),
                Some("0123".into()),
                Some("2026-11-22".into())
            ))
        );
        assert_eq!(found(""), None);
        assert_eq!(found("<b>"), None);
        assert_eq!(encoded("*0123 <"), "*0123%20%3C");
    }

    #[test]
    fn a_showing_of_the_page_is_remembered_once_and_not_for_ever() {
        let mut once = Once::default();
        once.keep("a".into(), Some(Stan(7)));
        assert_eq!(once.given("a"), Some(Some(Stan(7))));
        for n in 0..ONCE_MAX {
            once.keep(n.to_string(), None);
        }
        assert_eq!(once.given("a"), None);
        assert_eq!(once.given("0"), Some(None));
    }
}
